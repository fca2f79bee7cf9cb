//! A mail server that keeps what it takes: the part of SMTP that a client needs (RFC 5321 §4.5.1).

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What it answers to a recipient.
#[derive(Debug, Clone, Copy)]
pub enum Recipients {
    Taken,
    Refused,
}

/// A server on a port of its own; it ends with the test.
pub struct MailServer {
    pub url: String,
    taken: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    pub async fn start(recipients: Recipients) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(talk(client, recipients, Arc::clone(&keeps)));
            }
        });
        Self { url, taken }
    }

    /// Everything that it took, headers and body.
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

async fn talk(client: TcpStream, recipients: Recipients, taken: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let (reads, mut writes) = client.into_split();
    let mut lines = BufReader::new(reads).lines();
    writes.write_all(b"220 test\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match (verb.as_str(), recipients) {
            ("RCPT", Recipients::Refused) => b"451 ada@example.com is not served now\r\n",
            ("DATA", _) => {
                writes.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.push_str(&line);
                    mail.push('\n');
                }
                taken.lock().unwrap().push(mail);
                b"250 taken\r\n"
            }
            ("QUIT", _) => b"221 bye\r\n",
            _ => b"250 test\r\n",
        };
        writes.write_all(answer).await?;
    }
    Ok(())
}
