//! The 18 permissions that are there unless an operator says otherwise.

use super::predefined::Predefined;
use super::set::Level::{self, Organisation, Scope};

/// One row of the table: key, level, what it allows, and who holds it.
pub(super) struct Row {
    pub key: &'static str,
    pub level: Level,
    pub label: &'static str,
    pub holders: &'static [Predefined],
}

const fn row(key: &'static str, level: Level, label: &'static str, holders: &'static [Predefined]) -> Row {
    Row {
        key,
        level,
        label,
        holders,
    }
}

const OWNER_ADMIN: &[Predefined] = &[Predefined::Owner, Predefined::Admin];
const TO_MANAGER: &[Predefined] = &[Predefined::Owner, Predefined::Admin, Predefined::Manager];
const TO_ANALYST: &[Predefined] = &[
    Predefined::Owner,
    Predefined::Admin,
    Predefined::Manager,
    Predefined::Analyst,
];
const EVERYBODY: &[Predefined] = &Predefined::ALL;

pub(super) const ROWS: [Row; 18] = [
    row(
        "org.users.view",
        Organisation,
        "See users, roles and invitations",
        OWNER_ADMIN,
    ),
    row(
        "org.users.manage",
        Organisation,
        "Invite, remove, activate and deactivate users, and change their roles",
        OWNER_ADMIN,
    ),
    row(
        "org.roles.manage",
        Organisation,
        "Create, copy, edit and delete custom roles",
        OWNER_ADMIN,
    ),
    row(
        "org.scopes.manage",
        Organisation,
        "Create, edit and delete territories, programs and record groups",
        TO_MANAGER,
    ),
    row(
        "org.billing.manage",
        Organisation,
        "View and edit plan and billing",
        OWNER_ADMIN,
    ),
    row(
        "org.integrations.manage",
        Organisation,
        "Manage connections, webhooks and tokens",
        TO_MANAGER,
    ),
    row(
        "org.settings.manage",
        Organisation,
        "Manage branding, domains, retention and security policy",
        TO_MANAGER,
    ),
    row(
        "org.audit.view",
        Organisation,
        "See history, provisioning log and activity reports",
        OWNER_ADMIN,
    ),
    row("record.create", Scope, "Create a record", TO_MANAGER),
    row("record.edit", Scope, "Read and write a record", TO_MANAGER),
    row("record.delete", Scope, "Delete or archive a record", TO_MANAGER),
    row("record.publish", Scope, "Publish, pause and distribute", TO_MANAGER),
    row(
        "data.view_anonymised",
        Scope,
        "See data without personal data, and analytics",
        EVERYBODY,
    ),
    row("data.view_identified", Scope, "See data with personal data", TO_ANALYST),
    row("data.act", Scope, "Reply, comment, assign and close", TO_ANALYST),
    row(
        "data.labels.manage",
        Scope,
        "Manage labels, taxonomies and saved filters",
        TO_MANAGER,
    ),
    row("data.export_share", Scope, "Export, forward and share", TO_ANALYST),
    row("data.erase", Scope, "Remove or anonymise data", OWNER_ADMIN),
];
