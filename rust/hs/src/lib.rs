//! A small binding to Hyperscan 5.4 (block and streaming mode): the only foreign code of llmgw.
//!
//! Three owned handles, [`Database`], [`Scratch`] and [`Stream`], and one trait, [`Sink`], that takes
//! the matches. A panic in a sink is caught before it reaches C and ends the scan.

mod raw;

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// An expression to compile, in Hyperscan's syntax.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Reported with each match.
    pub id: u32,
    /// The expression itself.
    pub pattern: CString,
}

/// How a database is going to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The whole text at once.
    Block,
    /// The text piece by piece.
    Stream,
}

/// Why the engine refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// An expression did not compile: its position in the list (if it is to blame) and the reason.
    Compile(Option<usize>, String),
    /// The sink refused a match (or panicked).
    Stopped,
    /// The processor lacks an instruction set (SSSE3).
    UnsupportedPlatform,
    /// Any other status of the engine.
    Status(i32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Compile(_, reason) => write!(f, "{reason}"),
            Error::Stopped => write!(f, "the scan was stopped"),
            Error::UnsupportedPlatform => write!(f, "this processor lacks SSSE3"),
            Error::Status(status) => write!(f, "the engine answered with status {status}"),
        }
    }
}

impl std::error::Error for Error {}

/// Takes the matches of a scan.
pub trait Sink {
    /// Notes that expression `id` matches up to (not including) offset `end`; false stops the scan.
    ///
    /// Every end is reported, in no promised order between ids; in a stream, offsets count from
    /// where it was opened.
    fn accept(&mut self, id: u32, end: u64) -> bool;
}

extern "C" fn on_match<S: Sink>(
    id: c_uint,
    _from: u64,
    to: u64,
    _flags: c_uint,
    context: *mut c_void,
) -> c_int {
    // SAFETY: the context of every scan below is an exclusive borrow of an `S` that outlives it.
    let sink = unsafe { &mut *context.cast::<S>() };
    let go_on = catch_unwind(AssertUnwindSafe(|| sink.accept(id, to))).unwrap_or(false);
    c_int::from(!go_on)
}

fn check(status: c_int) -> Result<(), Error> {
    match status {
        raw::HS_SUCCESS => Ok(()),
        raw::HS_SCAN_TERMINATED => Err(Error::Stopped),
        raw::HS_ARCH_ERROR => Err(Error::UnsupportedPlatform),
        status => Err(Error::Status(status)),
    }
}

fn length(data: &[u8]) -> Result<c_uint, Error> {
    c_uint::try_from(data.len()).map_err(|_| Error::Status(raw::HS_INVALID))
}

/// Whether the engine runs on this processor.
#[must_use]
pub fn platform_is_supported() -> bool {
    // SAFETY: takes nothing, reads the processor's features.
    unsafe { raw::hs_valid_platform() == raw::HS_SUCCESS }
}

/// The engine's version and build date.
#[must_use]
pub fn version() -> String {
    // SAFETY: returns a static, NUL-terminated string.
    unsafe { CStr::from_ptr(raw::hs_version()) }.to_string_lossy().into_owned()
}

/// Compiled expressions: immutable, usable from any number of threads.
#[derive(Debug)]
pub struct Database {
    raw: NonNull<raw::hs_database_t>,
    mode: Mode,
}

// SAFETY: a database is only read after it was built; Hyperscan documents it as shareable.
unsafe impl Send for Database {}
// SAFETY: as above.
unsafe impl Sync for Database {}

impl Database {
    /// Compiles expressions for one mode of use. Slow (milliseconds to seconds).
    pub fn compile(expressions: &[Expression], mode: Mode) -> Result<Self, Error> {
        let patterns: Vec<*const c_char> = expressions.iter().map(|e| e.pattern.as_ptr()).collect();
        let flags = vec![0 as c_uint; expressions.len()];
        let ids: Vec<c_uint> = expressions.iter().map(|e| e.id).collect();
        let count =
            c_uint::try_from(expressions.len()).map_err(|_| Error::Status(raw::HS_INVALID))?;
        let mode_bits = match mode {
            Mode::Block => raw::HS_MODE_BLOCK,
            Mode::Stream => raw::HS_MODE_STREAM,
        };
        let mut database = ptr::null_mut();
        let mut error = ptr::null_mut();
        // SAFETY: three arrays of `count` entries; both out-pointers are valid for a write.
        let status = unsafe {
            raw::hs_compile_multi(
                patterns.as_ptr(),
                flags.as_ptr(),
                ids.as_ptr(),
                count,
                mode_bits,
                ptr::null(),
                &raw mut database,
                &raw mut error,
            )
        };
        if status == raw::HS_COMPILER_ERROR {
            return Err(take_compile_error(error));
        }
        check(status)?;
        Self::own(database, mode)
    }

    fn own(database: *mut raw::hs_database_t, mode: Mode) -> Result<Self, Error> {
        let raw = NonNull::new(database).ok_or(Error::Status(raw::HS_NOMEM))?;
        Ok(Database { raw, mode })
    }

    /// Bytes of memory it takes.
    pub fn size(&self) -> Result<usize, Error> {
        let mut size = 0;
        // SAFETY: the database lives as long as self.
        check(unsafe { raw::hs_database_size(self.raw.as_ptr(), &raw mut size) })?;
        Ok(size)
    }

    /// Bytes of memory each open stream takes.
    pub fn stream_size(&self) -> Result<usize, Error> {
        let mut size = 0;
        // SAFETY: the database lives as long as self.
        check(unsafe { raw::hs_stream_size(self.raw.as_ptr(), &raw mut size) })?;
        Ok(size)
    }

    /// The database as bytes, good for this version of the engine and this kind of processor only.
    pub fn serialize(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = ptr::null_mut();
        let mut size = 0;
        // SAFETY: on success the engine hands over `size` bytes from malloc, copied and freed here.
        unsafe {
            check(raw::hs_serialize_database(self.raw.as_ptr(), &raw mut bytes, &raw mut size))?;
            let copy = std::slice::from_raw_parts(bytes.cast::<u8>(), size).to_vec();
            raw::free(bytes.cast());
            Ok(copy)
        }
    }

    /// Restores what [`serialize`](Self::serialize) wrote; fails on another version or processor.
    ///
    /// # Safety
    /// The engine trusts the bytes beyond a checksum: they must come from `serialize` for `mode`,
    /// from a place that nobody else can write to.
    pub unsafe fn deserialize(bytes: &[u8], mode: Mode) -> Result<Self, Error> {
        let mut database = ptr::null_mut();
        // SAFETY: a readable slice and an out-pointer; the content is vouched for by the caller.
        check(unsafe {
            raw::hs_deserialize_database(bytes.as_ptr().cast(), bytes.len(), &raw mut database)
        })?;
        Self::own(database, mode)
    }

    /// Finds every match in `data` (a [`Mode::Block`] database).
    pub fn scan<S: Sink>(
        &self,
        data: &[u8],
        scratch: &mut Scratch,
        sink: &mut S,
    ) -> Result<(), Error> {
        let size = length(data)?;
        // SAFETY: `data` is readable for `size` bytes; scratch and sink are borrowed exclusively.
        check(unsafe {
            raw::hs_scan(
                self.raw.as_ptr(),
                data.as_ptr().cast(),
                size,
                0,
                scratch.raw.as_ptr(),
                Some(on_match::<S>),
                ptr::from_mut(sink).cast(),
            )
        })
    }

    /// Opens a stream (a [`Mode::Stream`] database).
    pub fn open_stream(self: &Arc<Self>) -> Result<Stream, Error> {
        let mut stream = ptr::null_mut();
        // SAFETY: the database is kept alive by the stream's `Arc`.
        check(unsafe { raw::hs_open_stream(self.raw.as_ptr(), 0, &raw mut stream) })?;
        let raw = NonNull::new(stream).ok_or(Error::Status(raw::HS_NOMEM))?;
        Ok(Stream { raw, database: Arc::clone(self) })
    }

    /// What it was compiled for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: owned, and every stream holds an `Arc`, so none is left.
        unsafe { raw::hs_free_database(self.raw.as_ptr()) };
    }
}

fn take_compile_error(error: *mut raw::hs_compile_error_t) -> Error {
    // SAFETY: after HS_COMPILER_ERROR the engine hands over an error with a message to be freed.
    unsafe {
        let Some(details) = error.as_ref() else { return Error::Status(raw::HS_COMPILER_ERROR) };
        let reason = CStr::from_ptr(details.message).to_string_lossy().into_owned();
        let position = usize::try_from(details.expression).ok();
        raw::hs_free_compile_error(error);
        Error::Compile(position, reason)
    }
}

/// Working memory of a scan: one per scan that runs at a time.
#[derive(Debug)]
pub struct Scratch {
    raw: NonNull<raw::hs_scratch_t>,
}

// SAFETY: not tied to a thread; exclusive borrows keep it to one scan at a time.
unsafe impl Send for Scratch {}

impl Scratch {
    /// Working memory that fits `database`.
    pub fn new(database: &Database) -> Result<Self, Error> {
        let mut scratch = ptr::null_mut();
        // SAFETY: null asks for a new one.
        check(unsafe { raw::hs_alloc_scratch(database.raw.as_ptr(), &raw mut scratch) })?;
        let raw = NonNull::new(scratch).ok_or(Error::Status(raw::HS_NOMEM))?;
        Ok(Scratch { raw })
    }

    /// Grows it so that it fits `database` too.
    pub fn fit(&mut self, database: &Database) -> Result<(), Error> {
        let mut scratch = self.raw.as_ptr();
        // SAFETY: an existing scratch is grown in place or replaced; the out-pointer says which.
        let status = unsafe { raw::hs_alloc_scratch(database.raw.as_ptr(), &raw mut scratch) };
        if let Some(raw) = NonNull::new(scratch) {
            self.raw = raw;
        }
        check(status)
    }

    /// A second one of the same size.
    pub fn try_clone(&self) -> Result<Self, Error> {
        let mut scratch = ptr::null_mut();
        // SAFETY: self is a valid scratch that no scan uses (shared borrows cannot scan).
        check(unsafe { raw::hs_clone_scratch(self.raw.as_ptr(), &raw mut scratch) })?;
        let raw = NonNull::new(scratch).ok_or(Error::Status(raw::HS_NOMEM))?;
        Ok(Scratch { raw })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: owned, and no scan is running.
        unsafe { raw::hs_free_scratch(self.raw.as_ptr()) };
    }
}

/// A text that arrives piece by piece. Dropped without [`close`](Self::close), the matches that
/// depend on the end of the text stay unreported.
#[derive(Debug)]
pub struct Stream {
    raw: NonNull<raw::hs_stream_t>,
    database: Arc<Database>,
}

// SAFETY: a stream's state is plain memory; exclusive borrows keep it to one thread at a time.
unsafe impl Send for Stream {}

impl Stream {
    /// Scans the next piece.
    pub fn feed<S: Sink>(
        &mut self,
        data: &[u8],
        scratch: &mut Scratch,
        sink: &mut S,
    ) -> Result<(), Error> {
        let size = length(data)?;
        // SAFETY: `data` is readable for `size` bytes; stream, scratch, sink are exclusive.
        check(unsafe {
            raw::hs_scan_stream(
                self.raw.as_ptr(),
                data.as_ptr().cast(),
                size,
                0,
                scratch.raw.as_ptr(),
                Some(on_match::<S>),
                ptr::from_mut(sink).cast(),
            )
        })
    }

    /// Ends the text, reports what only the end decides, and starts a new text.
    pub fn reset<S: Sink>(&mut self, scratch: &mut Scratch, sink: &mut S) -> Result<(), Error> {
        // SAFETY: stream, scratch and sink are borrowed exclusively.
        check(unsafe {
            raw::hs_reset_stream(
                self.raw.as_ptr(),
                0,
                scratch.raw.as_ptr(),
                Some(on_match::<S>),
                ptr::from_mut(sink).cast(),
            )
        })
    }

    /// Ends the text and reports what only the end decides.
    pub fn close<S: Sink>(mut self, scratch: &mut Scratch, sink: &mut S) -> Result<(), Error> {
        self.reset(scratch, sink)
    }

    /// The database it was opened on.
    #[must_use]
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: owned; without a callback the engine needs no scratch.
        unsafe { raw::hs_close_stream(self.raw.as_ptr(), ptr::null_mut(), None, ptr::null_mut()) };
    }
}
