//! The fast lane's tests of the program, as one: no machines, no browser, nothing killed, no C program of every case.

mod adopt;
mod cli;
mod common;
mod decoded;
mod editors;
mod executor;
mod lane;
mod names;
mod plants;
mod ranks;
mod runs;
mod tidy;
mod turns;
