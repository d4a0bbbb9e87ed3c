//! What a call is given that is written out, argument by argument, and what leads to what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addr::Addr;
use super::op::{Control, Name};
use super::{Flags, Hex};

/// How many bytes there are behind a pointer that leads somewhere; no length is more.
pub const ROOM: usize = 1 << 16;
/// The same, as lengths are written.
pub(super) const MOST: i64 = 1 << 16;

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// A descriptor, by its name.
    Fd(Name),
    /// A number.
    Number(i64),
    /// Constants, or-ed; none are 0.
    Names(Flags),
    /// A null pointer.
    Null,
    /// A pointer to a page that is neither readable nor writable.
    Bad,
    /// A pointer to zeros, as many as any length.
    Room,
    /// A pointer to an `int` of this value.
    At(i32),
    /// A pointer to these bytes, and zeros behind them.
    Bytes(Hex),
    /// A pointer to this address, and zeros behind it.
    Addr(Addr),
    /// A pointer to these bytes, behind the last of which is a page that is neither readable nor writable.
    Edge(Hex),
    /// A pointer to as many `struct iovec`, and zeros behind them.
    Parts(Vec<Part>),
    /// A pointer to a `struct msghdr`.
    Message(Box<Message>),
}

/// A `struct iovec`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// `iov_base`.
    pub base: Arg,
    /// `iov_len`.
    pub len: i64,
}

/// A `struct msghdr`. A length that is not said is the right one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// `msg_name`.
    pub name: Arg,
    /// `msg_namelen`.
    pub namelen: Option<i64>,
    /// `msg_iov`.
    pub iov: Arg,
    /// `msg_iovlen`.
    pub iovlen: Option<i64>,
    /// `msg_control`, if that leads to none of these.
    pub control: Arg,
    /// The control messages that `msg_control` points to, zeros behind them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<Control>,
    /// `msg_controllen`.
    pub controllen: Option<i64>,
}

/// What is to stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A descriptor.
    Fd,
    /// Constants.
    Names,
    /// A pointer.
    Pointer,
    /// A `socklen_t` or an `int`, which may be less than nothing.
    Len,
    /// A `size_t`.
    Size,
    /// A pointer to a `socklen_t`.
    LenAt,
    /// A number that is no length.
    Number,
}

impl Arg {
    pub(super) fn fits(&self, place: Place) -> bool {
        match place {
            Place::Fd => matches!(self, Self::Fd(_)),
            Place::Names => matches!(self, Self::Names(_)),
            Place::Pointer => {
                !matches!(self, Self::Fd(_) | Self::Number(_) | Self::Names(_) | Self::At(_))
            }
            Place::LenAt => matches!(self, Self::Null | Self::Bad | Self::At(_)),
            Place::Len | Place::Size | Place::Number => matches!(self, Self::Number(_)),
        }
    }

    /// Whether it is a pointer that leads somewhere.
    pub(super) fn leads(&self) -> bool {
        matches!(self, Self::Room | Self::Bytes(_) | Self::Addr(_) | Self::Parts(_))
    }

    /// Whether it is a pointer whose length nobody knows.
    pub(super) fn is_of_no_length(&self) -> bool {
        matches!(self, Self::Bad | Self::Room)
    }

    /// Whether it is a length that a buffer has, or none that a kernel takes.
    pub(super) fn is_within(&self, place: Place) -> bool {
        let room = 0..=MOST;
        match self {
            Self::Number(n) => room.contains(n) || place == Place::Len && *n == -1,
            // A kernel writes as much as it has, and that is less than the room.
            Self::At(n) => room.contains(&i64::from(*n)) || [-1, i32::MAX].contains(n),
            _ => true,
        }
    }
}
