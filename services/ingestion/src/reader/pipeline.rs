//! From the files of a source to parsed blocks in the order of the input, on a bounded number of blocks in flight.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::block::Block;
use super::columnar::Columnar;
use super::delimited::Delimited;
use super::document::{Document, Header};
use super::error::ReadError;
use super::lines::Lines;
use super::parse::{Parsed, parse};
use super::window::Window;
use crate::core::table::Table;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One object with an array per table.
    Document,
    /// One array of records of one table.
    Array,
    Ndjson,
    Csv,
    Parquet,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    /// What the file is called in messages and in the lake; its name without its folder.
    pub(crate) name: String,
    pub(crate) format: Format,
    /// None for a document, which holds all tables.
    pub(crate) table: Option<Table>,
}

enum Cutter {
    Document(Document<File>),
    Lines(Lines<File>),
    Delimited(Delimited<File>),
    Columnar(Box<Columnar>),
}

impl Cutter {
    fn open(input: &Input, index: u32) -> Result<Self, ReadError> {
        let name = input.name.as_str();
        let file = File::open(&input.path).map_err(|source| ReadError::Io {
            file: name.to_owned(),
            source,
        })?;
        let table = input.table.unwrap_or(Table::Parties);
        Ok(match input.format {
            Format::Document => Self::Document(Document::new(Window::new(file), index, name)),
            Format::Array => Self::Document(Document::array(Window::new(file), index, name, table)),
            Format::Ndjson => Self::Lines(Lines::new(Window::new(file), index, name, table)),
            Format::Csv => Self::Delimited(Delimited::new(Window::new(file), index, name, table)),
            Format::Parquet => Self::Columnar(Box::new(Columnar::new(file, index, name, table)?)),
        })
    }

    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        match self {
            Self::Document(reader) => reader.next_block(),
            Self::Lines(reader) => reader.next_block(),
            Self::Delimited(reader) => reader.next_block(),
            Self::Columnar(reader) => reader.next_block(),
        }
    }
}

/// Takes the parsed blocks; false ends the reading.
pub(crate) type Sink<'a> = dyn FnMut(Parsed) -> bool + 'a;

/// Reads all inputs, in order. The header is that of the document among them.
pub(crate) fn read(
    inputs: &[Input],
    threads: usize,
    sink: &mut Sink<'_>,
) -> Result<Header, ReadError> {
    let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    if threads <= 1 {
        return cut_all(inputs, &mut |block| deliver(parse(block, &names)?, sink));
    }
    thread::scope(|scope| {
        // Twice as many blocks as threads: one in work and one waiting for each.
        let in_flight = 2 * threads;
        let (to_workers, work) = mpsc::sync_channel::<(u64, Block)>(in_flight);
        let (done, from_workers) = mpsc::sync_channel(in_flight);
        let work = Arc::new(Mutex::new(work));
        for _ in 0..threads {
            let (work, done, names) = (Arc::clone(&work), done.clone(), &names);
            scope.spawn(move || worker(&work, &done, names));
        }
        drop(done);
        let mut order = Order {
            next: 0,
            sent: 0,
            failed: false,
            waiting: BTreeMap::new(),
            from_workers,
        };
        let header = cut_all(inputs, &mut |block| {
            while order.in_flight() >= in_flight as u64 {
                order.receive(sink)?;
            }
            order.sent += 1;
            let job = (order.sent - 1, block);
            to_workers.send(job).map_err(|_| ReadError::Stopped)
        });
        drop(to_workers);
        // A fault of an earlier block, still in work, comes before the one that stopped the cutting.
        while !order.failed && order.in_flight() > 0 {
            order.receive(sink)?;
        }
        header
    })
}

fn cut_all(
    inputs: &[Input],
    each: &mut dyn FnMut(Block) -> Result<(), ReadError>,
) -> Result<Header, ReadError> {
    let mut header = Header::default();
    for (input, index) in inputs.iter().zip(0..) {
        let mut cutter = Cutter::open(input, index)?;
        while let Some(block) = cutter.next_block()? {
            each(block)?;
        }
        if let (Cutter::Document(document), Format::Document) = (&cutter, input.format) {
            header = document.header().clone();
        }
    }
    Ok(header)
}

fn deliver(parsed: Parsed, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    if sink(parsed) {
        Ok(())
    } else {
        Err(ReadError::Stopped)
    }
}

type Numbered<T> = (u64, T);

fn worker(
    work: &Mutex<Receiver<Numbered<Block>>>,
    done: &SyncSender<Numbered<Result<Parsed, ReadError>>>,
    names: &[String],
) {
    loop {
        let job = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, block)) = job else {
            return;
        };
        if done.send((number, parse(block, names))).is_err() {
            return;
        }
    }
}

/// Puts what the workers finish back into the order of the input.
struct Order {
    next: u64,
    sent: u64,
    /// A block was refused, by its parser or by the sink: what comes after it does not matter.
    failed: bool,
    waiting: BTreeMap<u64, Result<Parsed, ReadError>>,
    from_workers: Receiver<Numbered<Result<Parsed, ReadError>>>,
}

impl Order {
    fn in_flight(&self) -> u64 {
        self.sent - self.next
    }

    /// Waits for the next block in order and delivers it.
    fn receive(&mut self, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        loop {
            if let Some(parsed) = self.waiting.remove(&self.next) {
                self.next += 1;
                let delivered = parsed.and_then(|parsed| deliver(parsed, sink));
                self.failed = delivered.is_err();
                return delivered;
            }
            let (number, parsed) = self.from_workers.recv().map_err(|_| ReadError::Stopped)?;
            self.waiting.insert(number, parsed);
        }
    }
}
