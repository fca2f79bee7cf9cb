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

/// How a `User-Agent` starts, in any letter case and up to the end of a word. A prefix and no substring: a proxy that
/// mentions a product in passing must not be taken for it.
///
/// The first ones were seen on the wire. The others are the names of their products, which nobody else begins with; names
/// that are words of other things as well (Oracle, SAP, Ping) are not among them.
const USER_AGENTS: &[(&str, Client)] = &[
    ("okta scim", Client::Okta),
    ("onelogin", Client::OneLogin),
    ("jumpcloud", Client::JumpCloud),
    ("google-auto-provisioning", Client::Google),
    ("authentik", Client::Authentik),
    ("pingfederate", Client::Ping),
    ("pingone", Client::Ping),
    ("sailpoint", Client::SailPoint),
    ("cyberark", Client::CyberArk),
    ("rippling", Client::Rippling),
    ("keycloak", Client::Keycloak),
    ("midpoint", Client::MidPoint),
    ("grouper", Client::Grouper),
    ("ssosync", Client::SsoSync),
    ("canaille", Client::Canaille),
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
            let word_ends = |rest: &str| !rest.starts_with(char::is_alphanumeric);
            agent
                .split_at_checked(start.len())
                .is_some_and(|(head, rest)| head.eq_ignore_ascii_case(start) && word_ends(rest))
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

    /// Everything that a client is known to say of itself.
    const SAID: &[(&str, Client)] = &[
        ("Okta SCIM Client 1.0.0", Client::Okta),
        ("OKTA SCIM Integration", Client::Okta),
        ("OneLogin SCIM", Client::OneLogin),
        ("JumpCloud SCIM", Client::JumpCloud),
        ("Google-Auto-Provisioning", Client::Google),
        ("authentik@2026.1.0", Client::Authentik),
        ("PingFederate/12.1", Client::Ping),
        ("PingOne", Client::Ping),
        ("SailPoint-IdentityNow", Client::SailPoint),
        ("CyberArk Identity", Client::CyberArk),
        ("Rippling/1.0", Client::Rippling),
        ("keycloak-scim", Client::Keycloak),
        ("midPoint/4.9", Client::MidPoint),
        ("Grouper/5.12", Client::Grouper),
        ("ssosync/2.3", Client::SsoSync),
        ("Canaille/0.0.74", Client::Canaille),
    ];

    #[test]
    fn a_client_that_names_itself_gets_its_own_label() {
        for (agent, client) in SAID {
            assert_eq!(seen(Some(agent), &[]), *client, "{agent}");
            assert_eq!(seen(Some(&agent.to_uppercase()), &["accept"]), *client, "{agent}");
        }
        for agent in [None, Some(""), Some("Go-http-client/1.1")] {
            assert_eq!(seen(agent, &["adscimversion"]), Client::Entra);
        }
        let silent = [Client::EntraLegacy, Client::Oracle, Client::Sap, Client::Generic];
        for client in Client::ALL.iter().filter(|client| !silent.contains(client)) {
            let named = SAID.iter().any(|(_, known)| known == client) || *client == Client::Entra;
            assert!(named, "{client:?}");
        }
    }

    #[test]
    fn a_client_that_does_not_name_itself_is_nobody_else() {
        let agents = [
            "",
            // ssosync, among very many others.
            "Go-http-client/1.1",
            // Keycloak and Grouper, among very many others.
            "Apache-HttpClient/4.5.14 (Java/21.0.2)",
            "python-requests/2.32",
            "PostmanRuntime/7.43.0",
            "curl/8 (okta scim)",
            "Mozilla/5.0 (compatible; OneLogin SCIM)",
            "Okta",
            "Oktapus/1.0",
            "Okta SCIMitar",
            "OneLoginator/1.0",
            "Google-Cloud-Scheduler",
            "Grouperware/2",
            "pingdom.com_bot_version_1.4",
            "Oracle-HTTP-Server",
            "SAP NetWeaver Application Server (1.0;754)",
            "\u{1f680}",
            "okta scim\u{e9}",
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
