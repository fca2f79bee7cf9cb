//! Who is calling, by what the client says about itself.

/// A SCIM client whose habits are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// Okta, custom apps and catalogue templates.
    Okta,
    /// Microsoft Entra ID, with or without the compliance flag, and its SCIM validator.
    Entra,
    /// Microsoft Entra ID without the compliance flag. Never recognised by itself: the same header as [`Self::Entra`].
    EntraLegacy,
    /// `OneLogin`.
    OneLogin,
    /// `JumpCloud`.
    JumpCloud,
    /// Google Workspace auto-provisioning.
    Google,
    /// `PingFederate` and `PingOne`.
    Ping,
    /// `SailPoint` Identity Security Cloud and `IdentityIQ`.
    SailPoint,
    /// `CyberArk` Identity.
    CyberArk,
    /// Rippling.
    Rippling,
    /// SCIM client extensions of Keycloak.
    Keycloak,
    /// authentik.
    Authentik,
    /// midPoint through its SCIM connector.
    MidPoint,
    /// Internet2 Grouper.
    Grouper,
    /// ssosync.
    SsoSync,
    /// Oracle Cloud Infrastructure IAM.
    Oracle,
    /// SAP Cloud Identity Services.
    Sap,
    /// Canaille.
    Canaille,
    /// Anything that does not say who it is.
    Generic,
}

/// What identifies a client in the head of a request.
pub struct Hints<'a> {
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// Any other header by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
}

/// How a `User-Agent` starts, in any letter case. A prefix and no substring: a proxy that mentions a product in
/// passing must not be taken for it.
const USER_AGENTS: &[(&str, Client)] = &[
    ("okta scim", Client::Okta),
    ("onelogin", Client::OneLogin),
    ("jumpcloud", Client::JumpCloud),
    ("google-auto-provisioning", Client::Google),
    ("authentik@", Client::Authentik),
];

/// Sent by Microsoft Entra ID with every request.
const ENTRA_HEADER: &str = "adscimversion";

impl Client {
    /// Every client, for listings; [`Self::Generic`] last.
    pub const ALL: &'static [Self] = &[
        Self::Okta,
        Self::Entra,
        Self::EntraLegacy,
        Self::OneLogin,
        Self::JumpCloud,
        Self::Google,
        Self::Ping,
        Self::SailPoint,
        Self::CyberArk,
        Self::Rippling,
        Self::Keycloak,
        Self::Authentik,
        Self::MidPoint,
        Self::Grouper,
        Self::SsoSync,
        Self::Oracle,
        Self::Sap,
        Self::Canaille,
        Self::Generic,
    ];

    /// The name used in settings, records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::EntraLegacy => "entra-legacy",
            Self::OneLogin => "onelogin",
            Self::JumpCloud => "jumpcloud",
            Self::Google => "google",
            Self::Ping => "ping",
            Self::SailPoint => "sailpoint",
            Self::CyberArk => "cyberark",
            Self::Rippling => "rippling",
            Self::Keycloak => "keycloak",
            Self::Authentik => "authentik",
            Self::MidPoint => "midpoint",
            Self::Grouper => "grouper",
            Self::SsoSync => "ssosync",
            Self::Oracle => "oracle",
            Self::Sap => "sap",
            Self::Canaille => "canaille",
            Self::Generic => "generic",
        }
    }

    /// The client that names itself in the head of the request, else [`Self::Generic`].
    #[must_use]
    pub fn recognise(hints: &Hints<'_>) -> Self {
        let agent = hints.user_agent.unwrap_or_default().trim_start();
        let named = USER_AGENTS.iter().find(|(start, _)| {
            agent
                .get(..start.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(start))
        });
        match named {
            Some((_, client)) => *client,
            None if (hints.header)(ENTRA_HEADER).is_some() => Self::Entra,
            None => Self::Generic,
        }
    }

    /// Whether the habits of Microsoft Entra ID are to be expected.
    pub(super) const fn is_entra(self) -> bool {
        matches!(self, Self::Entra | Self::EntraLegacy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(user_agent: Option<&str>, headers: &[&str]) -> Client {
        let header = |name: &str| headers.contains(&name).then_some("x");
        Client::recognise(&Hints {
            user_agent,
            header: &header,
        })
    }

    #[test]
    fn a_client_that_names_itself_gets_its_own_label() {
        assert_eq!(seen(Some("Okta SCIM Client 1.0.0"), &[]), Client::Okta);
        assert_eq!(seen(Some("OKTA SCIM Integration"), &[]), Client::Okta);
        assert_eq!(seen(Some("OneLogin SCIM"), &[]), Client::OneLogin);
        assert_eq!(seen(Some("JumpCloud SCIM"), &[]), Client::JumpCloud);
        assert_eq!(seen(Some("Google-Auto-Provisioning"), &[]), Client::Google);
        assert_eq!(seen(Some("authentik@2026.1.0"), &[]), Client::Authentik);
        assert_eq!(seen(None, &["adscimversion"]), Client::Entra);
    }

    #[test]
    fn a_client_that_does_not_name_itself_is_nobody_else() {
        let agents = [
            "",
            "Go-http-client/1.1",
            "python-requests/2.32",
            "curl/8 (okta scim)",
            "Oktapus/1.0",
            "\u{1f680}",
        ];
        for agent in agents {
            assert_eq!(seen(Some(agent), &["accept"]), Client::Generic, "{agent}");
        }
        assert_eq!(seen(None, &[]), Client::Generic);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Client::ALL.iter().map(|client| client.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Client::ALL.len());
    }
}
