//! When each step of a start was done, for --trace-startup: a page that supervisor and child share.

use crate::error::{Error, Result};
use crate::explain;
use crate::plan::{Plan, Step};
use crate::sys::name::t;
use crate::sys::process;
use crate::text::{Line, Push};
use core::sync::atomic::{AtomicU64, Ordering};

/// The times by step, outside before inside; the last is the beginning. Empty when not asked for.
#[derive(Clone, Copy)]
pub struct Trace(&'static [AtomicU64]);

impl Trace {
    /// Records nothing.
    pub const OFF: Self = Self(&[]);

    /// Room for the times of a plan.
    pub fn new(plan: &Plan) -> Result<Self> {
        let count = plan.outside.len().wrapping_add(plan.inside.len()).wrapping_add(1);
        let words = process::shared_words(count)
            .map_err(|errno| Error::sys(text!("map memory for --trace-startup"), t(c""), errno))?;
        let trace = Self(words);
        trace.record(count.wrapping_sub(1));
        Ok(trace)
    }

    /// The step is done now.
    pub fn record(&self, index: usize) {
        if let Some(time) = self.0.get(index) {
            time.store(process::nanoseconds(), Ordering::Relaxed);
        }
    }

    /// One line a step: microseconds, and the system call.
    pub fn table(&self, plan: &Plan) -> Line {
        let mut out = Line::new();
        let Some((start, times)) = self.0.split_last() else { return out };
        let mut before = start.load(Ordering::Relaxed);
        let mut cloned = before;
        for (index, (entry, time)) in plan.outside.iter().chain(&plan.inside).zip(times).enumerate() {
            let time = time.load(Ordering::Relaxed);
            // The child's time begins with the clone, whatever is done beside it.
            if index == plan.outside.len() {
                before = cloned;
            }
            if let Step::Clone(_) | Step::Clone3(..) = entry.step {
                cloned = time;
            }
            // A step that was not reached, or left no time (the command was executed).
            let took = time.saturating_sub(before);
            before = before.max(time);
            let tenths = took.wrapping_div(100);
            let mut micros = Line::new();
            micros.dec(tenths.wrapping_div(10)).put(b".").dec(tenths % 10);
            for _ in micros.len()..8 {
                out.put(b" ");
            }
            out.put(&micros).put(b" us  ");
            explain::step(plan, entry, &mut out);
            out.put(b"\n");
        }
        out.put(b"total until execve: ")
            .dec(before.saturating_sub(start.load(Ordering::Relaxed)).wrapping_div(1000))
            .put(b" us\n");
        out
    }
}
