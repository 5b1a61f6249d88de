//! The Hyperscan engine: databases per mode, and working memory per thread.

use super::syntax::Program;
use super::{Ends, Engine, Feed, ScanError};
use llmgw_hs_sys::{Database, Error, Expression, Mode, Scratch, Stream};
use std::cell::RefCell;
use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

pub(super) struct Hyperscan {
    expressions: Vec<Expression>,
    block: Numbered,
    /// Compiled by the first stream: most sets never see one.
    streaming: OnceLock<Result<Numbered, ScanError>>,
}

impl Hyperscan {
    pub(super) fn build(programs: &[Program]) -> Result<Self, ScanError> {
        if !llmgw_hs_sys::platform_is_supported() {
            return Err(engine_error(Error::UnsupportedPlatform));
        }
        let expressions = (0..).zip(programs).map(expression).collect::<Result<Vec<_>, _>>()?;
        let block = Database::compile(&expressions, Mode::Block).map_err(|error| match error {
            Error::Compile(Some(position), reason) if position < programs.len() => {
                Program::refuse(&programs[position].pattern, reason)
            }
            error => engine_error(error),
        })?;
        Ok(Hyperscan { expressions, block: Numbered::new(block), streaming: OnceLock::new() })
    }
}

fn expression((position, program): (u32, &Program)) -> Result<Expression, ScanError> {
    let pattern = CString::new(program.plain.as_str())
        .map_err(|error| Program::refuse(&program.pattern, error))?;
    Ok(Expression { id: position, pattern })
}

fn engine_error(error: Error) -> ScanError {
    match error {
        Error::Stopped => ScanError::TooManyMatches,
        error => ScanError::Engine(error.to_string()),
    }
}

impl Engine for Hyperscan {
    fn name(&self) -> &'static str {
        "hyperscan"
    }

    fn scan(&self, text: &[u8], ends: &mut Ends) -> Result<(), ScanError> {
        self.block.with_scratch(|database, scratch| database.scan(text, scratch, ends))
    }

    fn open(&self) -> Result<Box<dyn Feed>, ScanError> {
        let compiled = self.streaming.get_or_init(|| {
            Database::compile(&self.expressions, Mode::Stream)
                .map(Numbered::new)
                .map_err(engine_error)
        });
        let database = compiled.as_ref().map_err(Clone::clone)?.clone();
        let stream = database.database.open_stream().map_err(engine_error)?;
        Ok(Box::new(Open { database, stream }))
    }
}

struct Open {
    database: Numbered,
    stream: Stream,
}

impl Feed for Open {
    fn feed(&mut self, piece: &[u8], ends: &mut Ends) -> Result<(), ScanError> {
        self.database.with_scratch(|_, scratch| self.stream.feed(piece, scratch, ends))
    }

    fn close(self: Box<Self>, ends: &mut Ends) -> Result<(), ScanError> {
        let Open { database, stream } = *self;
        database.with_scratch(|_, scratch| stream.close(scratch, ends))
    }
}

/// A database with a number that no other one of this process ever had.
#[derive(Clone)]
struct Numbered {
    database: Arc<Database>,
    number: u64,
}

/// A thread's working memory, and the databases that it was made to fit.
struct Workspace {
    scratch: Scratch,
    fits: Vec<u64>,
}

/// Databases remembered per thread; after so many reloads the list starts over.
const REMEMBERED: usize = 64;

impl Numbered {
    fn new(database: Database) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Numbered { database: Arc::new(database), number }
    }

    /// Runs `f` with working memory that no other scan uses.
    fn with_scratch(
        &self,
        f: impl FnOnce(&Database, &mut Scratch) -> Result<(), Error>,
    ) -> Result<(), ScanError> {
        thread_local! { static WORKSPACE: RefCell<Option<Workspace>> = const { RefCell::new(None) } }
        WORKSPACE
            .with(|workspace| match workspace.try_borrow_mut() {
                Ok(mut workspace) => f(&self.database, self.fitted(&mut workspace)?),
                // A scan within a scan: the engine would refuse a scratch in use.
                Err(_) => f(&self.database, &mut Scratch::new(&self.database)?),
            })
            .map_err(engine_error)
    }

    fn fitted<'a>(&self, workspace: &'a mut Option<Workspace>) -> Result<&'a mut Scratch, Error> {
        let workspace = match workspace {
            Some(workspace) => workspace,
            None => workspace
                .insert(Workspace { scratch: Scratch::new(&self.database)?, fits: Vec::new() }),
        };
        if !workspace.fits.contains(&self.number) {
            workspace.scratch.fit(&self.database)?;
            if workspace.fits.len() >= REMEMBERED {
                workspace.fits.clear();
            }
            workspace.fits.push(self.number);
        }
        Ok(&mut workspace.scratch)
    }
}
