//! WASI: console, clock and random numbers, as AssemblyScript's wasi-shim and the usual C libraries ask for them.
//!
//! None of it reaches beyond the console. What would wait is answered with an error number: a guest must not wait. A
//! pointer outside memory is a trap, but for `random_get`.

use crate::memory::{range, view, word};
use crate::platform::{Platform, Stream};

/// The functions that a module may import.
pub(crate) const FUNCTIONS: [&str; 14] = [
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_close",
    "fd_fdstat_get",
    "fd_read",
    "fd_seek",
    "fd_write",
    "poll_oneoff",
    "proc_exit",
    "random_get",
];

const SUCCESS: i32 = 0;
const EAGAIN: i32 = 6;
const EBADF: i32 = 8;
const EFAULT: i32 = 21;
const EINVAL: i32 = 28;
const ENOSYS: i32 = 52;
pub(crate) const ENOTSUP: i32 = 58;

/// Pieces of memory in one call of fd_read or fd_write.
const PIECE_COUNT_MAX: u32 = 1024;
/// Characters after which a line is written though it has not ended: the guest might never end it.
const LINE_LENGTH_MAX: usize = 8192;

/// An access outside memory, or an exit: the module traps.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WasiTrap(pub String);

type Answer = Result<i32, WasiTrap>;

/// What one instance has of it.
pub(crate) struct Wasi {
    platform: Platform,
    /// Of descriptors 0, 1 and 2: whether it is open.
    is_open: [bool; 3],
    output: Line,
    error: Line,
}

impl Wasi {
    pub fn new(platform: Platform) -> Self {
        Self { platform, is_open: [true; 3], output: Line::default(), error: Line::default() }
    }

    fn has(&self, fd: u32) -> bool {
        self.is_open.get(fd as usize).copied().unwrap_or(false)
    }

    pub fn clock_res_get(memory: &mut [u8], id: u32, at: u32) -> Answer {
        let nanoseconds: u64 = match id {
            0 => 1_000_000,
            1 => 5_000,
            _ => return Ok(ENOSYS),
        };
        write(memory, at, &nanoseconds.to_le_bytes())
    }

    /// All clocks are the host's: where that one is virtual, the guest's time passes only when a test says so.
    pub fn clock_time_get(&self, memory: &mut [u8], at: u32) -> Answer {
        let nanoseconds = self.platform.clock.now().as_nanos() as u64;
        write(memory, at, &nanoseconds.to_le_bytes())
    }

    pub fn random_get(&self, memory: &mut [u8], at: u32, length: u32) -> Answer {
        let Some(range) = range(memory.len(), at, length) else { return Ok(EFAULT) };
        Ok(if (self.platform.random)(&mut memory[range]) { SUCCESS } else { EAGAIN })
    }

    /// There are no arguments and no variables.
    pub fn sizes_get(memory: &mut [u8], count_at: u32, bytes_at: u32) -> Answer {
        write(memory, count_at, &[0; 4])?;
        write(memory, bytes_at, &[0; 4])
    }

    pub fn fd_close(&mut self, fd: u32) -> Answer {
        let was_open = self.has(fd);
        if was_open {
            self.is_open[fd as usize] = false;
        }
        Ok(if was_open { SUCCESS } else { EBADF })
    }

    pub fn fd_fdstat_get(&self, memory: &mut [u8], fd: u32, at: u32) -> Answer {
        const REGULAR_FILE: u8 = 4;
        const CHARACTER_DEVICE: u8 = 2;
        const RIGHT_TO_WRITE: u8 = 64;
        if !self.has(fd) {
            return Ok(EBADF);
        }
        let mut stat = [0; 24];
        (stat[0], stat[8]) = if fd == 0 { (REGULAR_FILE, 0) } else { (CHARACTER_DEVICE, RIGHT_TO_WRITE) };
        write(memory, at, &stat)
    }

    pub fn fd_seek(&self, memory: &mut [u8], fd: u32, at: u32) -> Answer {
        if !self.has(fd) {
            return Ok(EBADF);
        }
        write(memory, at, &[0; 8])?;
        Ok(if fd == 0 { SUCCESS } else { ENOTSUP })
    }

    /// Descriptor 0 is empty, and the others cannot be read.
    pub fn fd_read(&self, memory: &mut [u8], fd: u32, pieces: u32, count: u32, at: u32) -> Answer {
        if count > PIECE_COUNT_MAX {
            return Ok(EINVAL);
        }
        if !self.has(fd) {
            return Ok(EBADF);
        }
        view(memory, pieces, count * 8).ok_or_else(outside)?;
        write(memory, at, &[0; 4])?;
        Ok(if fd == 0 || count == 0 { SUCCESS } else { ENOTSUP })
    }

    pub fn fd_write(&mut self, memory: &mut [u8], fd: u32, pieces: u32, count: u32, at: u32) -> Answer {
        if count > PIECE_COUNT_MAX {
            return Ok(EINVAL);
        }
        if !self.has(fd) {
            return Ok(EBADF);
        }
        let list = view(memory, pieces, count * 8).ok_or_else(outside)?;
        let (line, stream) = match fd {
            0 => return write(memory, at, &[0; 4]).map(|_| EBADF),
            1 => (&mut self.output, Stream::Output),
            _ => (&mut self.error, Stream::Error),
        };
        let mut written: u32 = 0;
        for piece in list.chunks_exact(8) {
            let bytes = view(memory, word(piece, 0), word(piece, 4)).ok_or_else(outside)?;
            line.write(bytes, |text| (self.platform.console)(stream, text));
            written = written.wrapping_add(bytes.len() as u32);
        }
        write(memory, at, &written.to_le_bytes())
    }
}

fn write(memory: &mut [u8], at: u32, bytes: &[u8]) -> Answer {
    let range = range(memory.len(), at, bytes.len() as u32).ok_or_else(outside)?;
    memory[range].copy_from_slice(bytes);
    Ok(SUCCESS)
}

fn outside() -> WasiTrap {
    WasiTrap("WASI: a pointer lies outside memory".to_owned())
}

/// Bytes that have not become a line yet.
#[derive(Default)]
struct Line(Vec<u8>);

impl Line {
    fn write(&mut self, bytes: &[u8], mut console: impl FnMut(&str)) {
        self.0.extend(bytes);
        while let Some(end) = self.0.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.0.drain(..=end).collect();
            console(&String::from_utf8_lossy(&line[..end]));
        }
        if self.0.len() >= LINE_LENGTH_MAX {
            let whole = self.0.len() - unfinished(&self.0);
            let part: Vec<u8> = self.0.drain(..whole).collect();
            console(&String::from_utf8_lossy(&part));
        }
    }
}

/// How many bytes at the end are the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    (1..=tail.len())
        .find(|length| {
            let end = &tail[tail.len() - length..];
            matches!(std::str::from_utf8(end), Err(error) if error.error_len().is_none() && error.valid_up_to() == 0)
        })
        .unwrap_or(0)
}
