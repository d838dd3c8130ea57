//! The versions of the protocol that this shop speaks.

use crate::{
    codec::Codec, v2026_01_23::V2026_01_23, v2026_04_08::V2026_04_08, v2026_08_25::V2026_08_25,
};

/// A version. Each has an endpoint and a profile of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// 2026-08-25, the one that the shop's profile is written in.
    V2026_08_25,
    /// 2026-04-08.
    V2026_04_08,
    /// 2026-01-23, which has no carts and no catalog.
    V2026_01_23,
}

impl Version {
    /// Every version, the newest first.
    pub const ALL: [Self; 3] = [Self::V2026_08_25, Self::V2026_04_08, Self::V2026_01_23];
    /// The version that the shop's profile is written in.
    pub const ROOT: Self = Self::V2026_08_25;

    /// The date by which the protocol knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2026_08_25 => "2026-08-25",
            Self::V2026_04_08 => "2026-04-08",
            Self::V2026_01_23 => "2026-01-23",
        }
    }

    /// The version of a date.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// Where its REST binding begins, below the address of the shop.
    pub fn endpoint(self) -> String {
        format!("{}/{}", crate::PATH, self.name())
    }

    /// How it is read and written.
    pub(crate) fn codec(self) -> &'static dyn Codec {
        match self {
            Self::V2026_08_25 => &V2026_08_25,
            Self::V2026_04_08 => &V2026_04_08,
            Self::V2026_01_23 => &V2026_01_23,
        }
    }
}
