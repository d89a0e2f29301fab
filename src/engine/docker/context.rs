//! What is sent to the daemon to build an image from, packed while it is sent: of a context, however
//! large, a few pieces are in memory.

use std::io::{Error as IoError, Result as IoResult, Write};
use std::sync::{Arc, OnceLock};

use futures::{Stream, stream};
use tar::Builder;
use tokio::sync::mpsc::{self, Sender};

use super::archive;
use crate::engine::source::changed_meanwhile;
use crate::error::{Error, Result};
use crate::model::container::BuildSource;

/// How large a piece is.
const PIECE: usize = 64 * 1024;
/// How many pieces are packed ahead of what the daemon has taken.
const AHEAD: usize = 4;

/// An archive that is on its way to the daemon.
pub type Parcel = Builder<Pieces>;

/// The archive that an image is built from.
#[derive(Clone)]
pub struct Context {
    pack: Arc<Packing>,
}

type Packing = dyn Fn(&mut Parcel) -> Result<()> + Send + Sync;

/// Why a context could not be packed, once that is known.
pub(super) type Fault = Arc<OnceLock<Error>>;

impl Context {
    /// A context that is packed by this, perhaps more than once.
    pub fn new(pack: impl Fn(&mut Parcel) -> Result<()> + Send + Sync + 'static) -> Self {
        Self {
            pack: Arc::new(pack),
        }
    }

    /// The source of an image, Dockerfile included. Nothing is built when what was sent in the end is
    /// not of this hash.
    pub fn of_source(service: &str, source: &BuildSource, hash: &str) -> Self {
        let (service, source, hash) = (service.to_owned(), source.clone(), hash.to_owned());
        Self::new(
            move |parcel| match archive::add_source(parcel, &source)? == hash {
                true => Ok(()),
                false => Err(changed_meanwhile(&service)),
            },
        )
    }

    /// Packs piece by piece, as the pieces are taken. The last one is an error, and the fault is told,
    /// when packing fails: the daemon must not take a part for the whole.
    pub(super) fn send(&self) -> (impl Stream<Item = IoResult<Vec<u8>>> + use<>, Fault) {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let fault = Fault::default();
        let (pack, told) = (Arc::clone(&self.pack), Arc::clone(&fault));
        tokio::task::spawn_blocking(move || {
            let mut parcel = Builder::new(Pieces {
                sender: sender.clone(),
                piece: Vec::new(),
            });
            let packed = pack(&mut parcel).and_then(|()| {
                let ended = parcel.finish().and_then(|()| parcel.get_mut().flush());
                ended.map_err(archive::failed)
            });
            // Where nobody takes the pieces any more, the daemon says why.
            if let Err(error) = packed
                && !sender.is_closed()
            {
                let broken = IoError::other(error.to_string());
                let _ = told.set(error);
                let _ = sender.blocking_send(Err(broken));
            }
        });
        let pieces = stream::unfold(receiver, |mut receiver| async move {
            let piece = receiver.recv().await?;
            Some((piece, receiver))
        });
        (pieces, fault)
    }
}

/// Where an archive is written to: each full piece goes on its way, and waits while others do.
pub struct Pieces {
    sender: Sender<IoResult<Vec<u8>>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> IoResult<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        let sent = self.sender.blocking_send(Ok(piece));
        sent.map_err(|_| IoError::from(std::io::ErrorKind::BrokenPipe))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use bollard::{API_DEFAULT_VERSION, Docker};
    use futures::{StreamExt, TryStreamExt};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::engine::docker::build::ContextBuild;
    use crate::engine::docker::connection::DockerEnvironment;
    use crate::engine::runtime::Progress;
    use crate::engine::source::{image_source, plain_source};
    use crate::model::event::{Event, EventSink};

    struct Silent;

    impl EventSink for Silent {
        fn emit(&self, _event: Event) {}
    }

    /// A folder to build with a file of some pieces, one that git ignores and one that Docker does.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text);
        write("Dockerfile", "FROM scratch\nCOPY . /\n").unwrap();
        write("large", &"0123456789abcdef".repeat(PIECE / 4)).unwrap();
        write(".gitignore", "secret\n").unwrap();
        write(".dockerignore", "notes\n").unwrap();
        write("secret", "hunter2").unwrap();
        write("notes", "draft").unwrap();
        std::os::unix::fs::symlink("large", folder.path().join("link")).unwrap();
        folder
    }

    async fn context_of(source: &BuildSource) -> Context {
        Context::of_source("pages", source, &image_source(source).await.unwrap())
    }

    /// The body of a request as it came, its pieces put together.
    async fn body_of(connection: &mut TcpStream) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.push(connection.read_u8().await.unwrap());
            }
            let size = std::str::from_utf8(&size).unwrap().trim();
            let size = usize::from_str_radix(size, 16).unwrap();
            let mut piece = vec![0; size + 2];
            connection.read_exact(&mut piece).await.unwrap();
            if size == 0 {
                return body;
            }
            body.extend_from_slice(&piece[..size]);
        }
    }

    /// A daemon that takes what it is to build, and has built it. The session beside it is refused.
    async fn built_by(listener: TcpListener) -> Vec<u8> {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(connection.read_u8().await.unwrap());
            }
            let is_build = String::from_utf8_lossy(&head).contains("/build?");
            let (body, answer) = match is_build {
                true => (Some(body_of(&mut connection).await), "200 OK"),
                false => (None, "404 Not Found"),
            };
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            connection.write_all(answer.as_bytes()).await.unwrap();
            if let Some(body) = body {
                return body;
            }
        }
    }

    #[tokio::test]
    async fn a_daemon_receives_the_source_and_nothing_that_is_ignored() {
        let folder = folder();
        let source = plain_source(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let client = Docker::connect_with_http(&address, 20, API_DEFAULT_VERSION).unwrap();
        let build = ContextBuild {
            service: "pages",
            source: &source,
            tagged: "pages:test",
            context: context_of(&source).await,
            platform: None,
            labels: std::collections::HashMap::new(),
            environment: &DockerEnvironment::default(),
        };
        let progress = Progress::new(Arc::new(Silent), "build pages");
        let (built, received) = tokio::join!(build.run(&client, &progress), built_by(listener));
        built.unwrap();
        let mut archive = tar::Archive::new(received.as_slice());
        let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
        let paths: Vec<String> = entries
            .map(|entry| entry.path().unwrap().display().to_string())
            .collect();
        let expected = [".dockerignore", ".gitignore", "Dockerfile", "large", "link"];
        assert_eq!(paths, expected);
        let (again, _) = context_of(&source).await.send();
        let again: Vec<Vec<u8>> = again.try_collect().await.unwrap();
        assert!(again.iter().all(|piece| piece.len() <= PIECE));
        assert!(again.concat() == received, "the same source, other bytes");
    }

    #[tokio::test]
    async fn a_source_that_changed_since_it_was_hashed_is_not_sent_as_a_whole() {
        let folder = folder();
        let source = plain_source(folder.path());
        let context = context_of(&source).await;
        std::fs::write(folder.path().join("large"), "edited").unwrap();
        let (pieces, fault) = context.send();
        let sent: Result<Vec<Vec<u8>>, IoError> = pieces.try_collect().await;
        assert!(sent.is_err());
        let fault = fault.get().unwrap().message();
        assert_eq!(fault, "the source of pages changed while it was built");
    }

    #[tokio::test]
    async fn a_context_is_packed_no_further_than_some_pieces_ahead() {
        let packed = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&packed);
        let context = Context::new(move |parcel| {
            for number in 0..100 {
                let path = std::path::PathBuf::from(number.to_string());
                archive::append_bytes(parcel, &path, &[0; PIECE], false)?;
                counted.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        });
        let (pieces, _) = context.send();
        let mut pieces = Box::pin(pieces);
        pieces.next().await.unwrap().unwrap();
        // Long enough for the rest, if nothing held it back.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(packed.load(Ordering::SeqCst) <= AHEAD + 2);
    }
}
