//! Random organisations in a database: written by the use cases, read back by the facts query, decided by the engine,
//! and compared with a second reading that looks at everything.
//!
//! `drawn` is the folder that the tests of the engine draw their organisations from.

mod change;
#[path = "../../../../src/access/tests/worlds/mod.rs"]
mod drawn;
mod leaves;
mod making;
mod previewed;
mod proof;
mod sheet;
mod size;
mod town;
mod words;

use muster::access::{ScopeKind, State};
use muster::scim::schema::ENTERPRISE_USER;
