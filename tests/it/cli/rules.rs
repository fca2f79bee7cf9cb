//! `muster rules`.

use crate::cli::server::{command, fails};
use crate::support::database::Database;
use crate::support::program::run;

const FILE: &str = r#"[[rule]]
name = "Partners"
state = "active"
when = 'userType eq "partner"'

[[rule.then]]
role = "Analyst"
scope = "all"
"#;

fn said(database: &Database, arguments: &[&str]) -> String {
    let output = run(database, &[&["rules"], arguments, &["--tenant", "acme"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

each_database! {
    async fn a_file_is_compared_read_in_and_printed_again(database: Database) {
        let file = database.folder().join("rules.toml");
        std::fs::write(&file, FILE).unwrap();
        let file = file.to_str().unwrap();
        assert_eq!(said(&database, &["export"]), "");
        assert_eq!(said(&database, &["diff", file]), "+ Partners\n");
        assert_eq!(said(&database, &["import", file]), "+ Partners\n");
        assert_eq!(said(&database, &["import", file]), "", "once is enough");
        let printed = said(&database, &["export"]);
        assert!(printed.starts_with("# Whoever has userType \"partner\" is Analyst everywhere."), "{printed}");
        std::fs::write(file, printed.replace("active", "retired")).unwrap();
        assert_eq!(said(&database, &["import", file]), "~ Partners: state\n");
    }

    async fn a_fault_is_told_with_its_line(database: Database) {
        let file = database.folder().join("rules.toml");
        std::fs::write(&file, FILE.replace("Analyst", "Analist")).unwrap();
        let import = ["rules", "import", "--tenant", "acme", file.to_str().unwrap()];
        let complaint = fails(command(&database).args(import), 1);
        assert!(complaint.contains("line 7") && complaint.contains("Analyst"), "{complaint}");
    }
}
