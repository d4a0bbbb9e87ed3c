//! What this project relies on, asked of the kernel that its tests run on.

sockeye::cases!("tests/cases");
