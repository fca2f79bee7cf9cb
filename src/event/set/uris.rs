//! The events that a token can name.

macro_rules! uris {
    ($($name:ident = $text:literal, $what:literal;)+) => {
        /// An event as a token names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SetEvent {
            $(#[doc = $what] $name,)+
        }

        impl SetEvent {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its URI.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

uris! {
    CreateNotice = "urn:ietf:params:scim:event:prov:create:notice", "Something was made: names of its attributes.";
    CreateFull = "urn:ietf:params:scim:event:prov:create:full", "Something was made: all of it.";
    PatchNotice = "urn:ietf:params:scim:event:prov:patch:notice", "Something was changed: names of attributes.";
    PatchFull = "urn:ietf:params:scim:event:prov:patch:full", "Something was changed: operations that do the same.";
    PutNotice = "urn:ietf:params:scim:event:prov:put:notice", "Something got a new whole: names of what changed.";
    PutFull = "urn:ietf:params:scim:event:prov:put:full", "Something got a new whole: that.";
    Delete = "urn:ietf:params:scim:event:prov:delete", "Something was deleted.";
    Activate = "urn:ietf:params:scim:event:prov:activate", "Somebody may come in.";
    Deactivate = "urn:ietf:params:scim:event:prov:deactivate", "Somebody may not come in any more.";
    AsyncResponse = "urn:ietf:params:scim:event:misc:asyncresp", "A request was done or refused that its client did not wait for.";
    SessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked", "Whatever somebody has open is to end.";
    AccountDisabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled", "An account is not to be relied on.";
}

impl SetEvent {
    /// What a stream is sent that does not say what it wants: SCIM's events without values.
    pub const USUAL: &[Self] = &[
        Self::CreateNotice,
        Self::PatchNotice,
        Self::PutNotice,
        Self::Delete,
        Self::Activate,
        Self::Deactivate,
    ];

    /// The event of this URI.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        Self::ALL.iter().find(|event| event.uri() == uri).copied()
    }

    /// Whether it tells values rather than names.
    #[must_use]
    pub const fn is_full(self) -> bool {
        matches!(self, Self::CreateFull | Self::PatchFull | Self::PutFull)
    }

    /// Of an event that tells values, the one that tells names instead.
    pub(super) const fn notice(self) -> Self {
        match self {
            Self::CreateFull => Self::CreateNotice,
            Self::PatchFull => Self::PatchNotice,
            Self::PutFull => Self::PutNotice,
            other => other,
        }
    }
}
