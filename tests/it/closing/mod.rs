//! Connections and tenants that are suspended, resumed and deleted, and what becomes of their users; on both engines.

mod connections;
mod deleted;
mod late;
mod leaves;
mod tenants;
pub mod town;
