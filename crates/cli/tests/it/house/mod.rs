//! Tests that read the sources: what a reviewer would have to see, a machine sees.

mod arrows;
mod faults;
mod limits;
mod style;
