//! A mock upstream on a thread and runtime of its own, for callers without a runtime.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use socket2::{Domain, Socket, Type};
use tokio::sync::oneshot;

use super::{Seen, serve_counted};

/// Connections that may wait to be accepted: a load test opens a thousand at once.
const BACKLOG: i32 = 4096;

/// A running mock upstream on the loopback address; stops when told to or dropped.
#[derive(Debug)]
pub struct Background {
    port: u16,
    seen: Arc<Seen>,
    running: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Background {
    /// Starts it on a port; 0 lets the system choose one.
    pub fn start(port: u16) -> io::Result<Self> {
        let listener = listen(port)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let seen = Arc::new(Seen::default());
        let (stop, stopped) = oneshot::channel();
        let counted = Arc::clone(&seen);
        let serving = async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            tokio::select! {
                () = serve_counted(listener, counted) => {}
                _ = stopped => {}
            }
        };
        let thread = std::thread::Builder::new()
            .name("mock-upstream".to_owned())
            .spawn(move || runtime.block_on(serving))?;
        Ok(Background { port, seen, running: Mutex::new(Some((stop, thread))) })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it has seen so far.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Closes the listener and all connections, and waits for the thread; a second call does nothing.
    pub fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = running {
            // Both fail only when the thread has already ended, which is what we want.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
