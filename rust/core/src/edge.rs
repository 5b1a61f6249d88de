//! The door of a worker: listens, serves every connection on one thread, and drains.

use crate::caller::Proxies;
use crate::certificate::Certificate;
use crate::connection::{Connection, HttpLimits};
use crate::dial::Address;
use crate::gate::{Desk, Shop};
use crate::metrics::{Gauge, GaugeGuard};
use crate::mock;
use crate::realtime::Realtime;
use crate::reply::HeadWriter;
use crate::session::{Door, Session};
use crate::snapshot::EdgeSettings;
use crate::store::Store;
use crate::upstream::Origin;
use socket2::{Domain, Protocol, Socket, Type};
use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;
/// How long a connection to the control plane may take to open.
const CONTROL_CONNECT: Duration = Duration::from_secs(5);
/// How often idle connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// How long those may take to go that are cut off.
const CUTTING: Duration = Duration::from_secs(1);
/// How long to rest when the system refuses another connection.
const ACCEPT_REST: Duration = Duration::from_millis(10);

/// What all connections of the thread share.
pub struct Edge {
    /// What the worker serves with.
    pub shop: Arc<Shop>,
    /// This thread's scratch space and cache.
    pub desk: RefCell<Desk>,
    /// Connections to the control plane.
    pub control: Arc<Origin>,
    /// See [`EdgeSettings::secret`].
    pub secret: String,
    /// Responses that clients may ask for again.
    pub store: Store,
    /// The realtime sessions of this thread.
    pub realtime: Realtime,
    /// The proxies that are believed.
    pub proxies: Proxies,
    stop: watch::Receiver<bool>,
    open: Cell<usize>,
    closed: Notify,
}

impl Edge {
    /// Whether the edge is draining.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Resolves when the edge begins to drain.
    pub fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let mut stop = self.stop.clone();
        async move {
            // An error means that the handle is gone: then the process is ending too.
            let _ = stop.wait_for(|&stop| stop).await;
        }
    }

    /// Counts a request as in flight until the guard is dropped.
    #[must_use]
    pub fn in_flight(&self) -> GaugeGuard {
        self.shop.metrics.hold(Gauge::InFlight)
    }
}

/// A running edge.
pub struct EdgeHandle {
    stop: watch::Sender<bool>,
    cut: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
    drained: std::sync::mpsc::Receiver<()>,
    shop: Arc<Shop>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl EdgeHandle {
    /// Stops accepting, lets what is under way finish, closes what is idle, and then the ledger. True if all
    /// finished in time; what did not is cut off.
    pub fn drain(&mut self, within: Duration) -> bool {
        self.stop.send_replace(true);
        let in_time = self.drained.recv_timeout(within).is_ok();
        let is_over = in_time || {
            self.cut.send_replace(true);
            self.drained.recv_timeout(CUTTING).is_ok()
        };
        if is_over && let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
        if let Err(error) = self.shop.ledger.close() {
            let reason = error.to_string();
            self.shop.log.warn("the ledger lost records", &[("reason", &reason)]);
        }
        in_time
    }
}

/// Asks the system to end this process (SIGTERM) when its supervisor dies, however that happens.
///
/// # Errors
/// The system's.
pub fn die_with_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    Ok(())
}

/// Opens the socket that the process's own mock upstream answers on: `mock://` deployments lead there.
///
/// # Errors
/// The system's.
pub fn open_mock() -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Starts an edge on a thread of its own.
///
/// # Errors
/// When the address cannot be bound or the certificate cannot be used.
pub fn start(
    shop: Arc<Shop>,
    settings: EdgeSettings,
    mock: std::net::TcpListener,
) -> io::Result<EdgeHandle> {
    let tls = crate::tls::acceptor(&settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (listener, admin, mock) = {
        let _inside = runtime.enter();
        let admin = settings.admin.map(|admin| listen((admin.host, admin.port).into()));
        let listener = listen((settings.host, settings.port).into())?;
        (listener, admin.transpose()?, TcpListener::from_std(mock)?)
    };
    let address = listener.local_addr()?;
    if let Some(folder) = &settings.ledger_folder {
        shop.ledger.open(folder)?;
    }
    let (responses, files) = (settings.responses_folder.clone(), settings.files_folder.clone());
    let store = Store::open(responses, files, shop.clone())?;
    let (stop, stopped) = watch::channel(false);
    let (cut, mut cutting) = watch::channel(false);
    let (report, drained) = std::sync::mpsc::channel();
    let ledger = shop.clone();
    let thread = std::thread::Builder::new().name("llmgw-edge".into()).spawn(move || {
        let doors = Doors { listener, admin, mock, tls };
        let tasks = LocalSet::new();
        tasks.block_on(&runtime, async {
            tokio::select! {
                () = run(doors, shop, store, settings, stopped) => {}
                _ = cutting.wait_for(|&cut| cut) => {}
            }
        });
        // What is under way is dropped here, and writes down how far it came.
        let inside = runtime.enter();
        drop(tasks);
        drop(inside);
        // The receiver may have given up waiting.
        let _ = report.send(());
    })?;
    Ok(EdgeHandle { stop, cut, thread: Some(thread), drained, address, shop: ledger })
}

struct Doors {
    listener: TcpListener,
    admin: Option<TcpListener>,
    mock: TcpListener,
    tls: Option<TlsAcceptor>,
}

/// Where a client came in, and from where.
type CameIn = (Door, IpAddr);

/// Where clients come in.
struct Entrance {
    listener: TcpListener,
    admin: Option<TcpListener>,
}

impl Entrance {
    /// The next connection, through whichever door it comes. May be dropped without losing one.
    async fn accept(&self) -> io::Result<(TcpStream, CameIn)> {
        let Some(admin) = &self.admin else {
            let (stream, peer) = self.listener.accept().await?;
            return Ok((stream, (Door::Only, peer.ip())));
        };
        let (accepted, door) = tokio::select! {
            accepted = admin.accept() => (accepted, Door::Admin),
            accepted = self.listener.accept() => (accepted, Door::Public),
        };
        accepted.map(|(stream, peer)| (stream, (door, peer.ip())))
    }
}

async fn run(
    doors: Doors,
    shop: Arc<Shop>,
    store: Store,
    settings: EdgeSettings,
    mut stop: watch::Receiver<bool>,
) {
    let Doors { listener, admin, mock, tls } = doors;
    let entrance = Entrance { listener, admin };
    tokio::task::spawn_local(mock::serve(mock));
    let limits = Rc::new(HttpLimits::new(&settings));
    let edge = Rc::new(Edge {
        shop,
        desk: RefCell::new(Desk::new()),
        control: Origin::resending(
            Address::Unix(settings.control_socket.into()),
            "control".into(),
            CONTROL_CONNECT,
        ),
        secret: settings.secret,
        store,
        realtime: Realtime::new(&settings.realtime),
        proxies: Proxies::new(&settings.trusted_proxies),
        stop: stop.clone(),
        open: Cell::new(0),
        closed: Notify::new(),
    });
    tokio::task::spawn_local(sweep(edge.clone()));
    loop {
        let full = edge.open.get() >= settings.max_connections;
        tokio::select! {
            biased;
            _ = stop.wait_for(|&stop| stop) => break,
            () = edge.closed.notified(), if full => {}
            accepted = entrance.accept(), if !full => match accepted {
                Ok((stream, came_in)) => open(&edge, &limits, tls.clone(), stream, came_in),
                // Out of descriptors, most likely: give connections time to end.
                Err(_) => tokio::time::sleep(ACCEPT_REST).await,
            },
        }
    }
    drop(entrance);
    while edge.open.get() > 0 {
        edge.closed.notified().await;
    }
    // Nobody is served any more who could be held up.
    edge.store.close();
}

/// Looks after the idle connections to upstreams and to the control plane.
async fn sweep(edge: Rc<Edge>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        edge.control.sweep();
        edge.shop.look_at_ledger();
        if let Ok(plan) = edge.shop.plan() {
            plan.sweep();
        }
    }
}

/// Serves one connection on a task of its own.
fn open(
    edge: &Rc<Edge>,
    limits: &Rc<HttpLimits>,
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
    came_in: CameIn,
) {
    // A socket that refuses the option still works.
    let _ = stream.set_nodelay(true);
    let (edge, limits) = (edge.clone(), limits.clone());
    let guard = OpenGuard::new(edge.clone());
    // Two tasks, each as large as it has to be.
    match tls {
        None => tokio::task::spawn_local(async move {
            let _guard = guard;
            session(stream, edge, limits, came_in, None).serve().await;
        }),
        Some(tls) => tokio::task::spawn_local(async move {
            let _guard = guard;
            let handshake = tokio::time::timeout(limits.header_timeout, tls.accept(stream)).await;
            if let Ok(Ok(stream)) = handshake {
                let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let certificate = shown.map(|one| Arc::new(Certificate::new(one)));
                session(stream, edge, limits, came_in, certificate).serve().await;
            }
        }),
    };
}

fn session<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    edge: Rc<Edge>,
    limits: Rc<HttpLimits>,
    (door, peer): CameIn,
    certificate: Option<Arc<Certificate>>,
) -> Session<S> {
    let (connection, head) = (Connection::new(stream, limits), HeadWriter::default());
    Session { connection, head, edge, door, peer: Some(peer), certificate }
}

/// Counts an open connection.
struct OpenGuard {
    edge: Rc<Edge>,
    _gauge: GaugeGuard,
}

impl OpenGuard {
    fn new(edge: Rc<Edge>) -> Self {
        edge.open.set(edge.open.get() + 1);
        let gauge = edge.shop.metrics.hold(Gauge::Connections);
        OpenGuard { edge, _gauge: gauge }
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.edge.open.set(self.edge.open.get() - 1);
        self.edge.closed.notify_one();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::from_std(bind(address)?)
}

fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
