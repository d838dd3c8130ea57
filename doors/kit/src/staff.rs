//! What staff need before anything that they send is looked at: a key with the scope of the operation.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use handel_engine::Scope;
use http::request::Parts;

use crate::{Door, Problem, context::identify};

/// A scope as a type, for [`Staff`].
pub trait Needed {
    /// The scope.
    const SCOPE: Scope;
}

/// Refuses who lacks a scope. Handlers of staff take it first: arguments are read in their order, so whoever may
/// not do something learns nothing else, and no body is read for them.
pub struct Staff<S>(PhantomData<S>);

impl<S: Needed> FromRequestParts<Door> for Staff<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let ctx = identify(parts, door).await?.0;
        ctx.require(S::SCOPE)?;
        Ok(Self(PhantomData))
    }
}

/// Declares the type of each scope.
macro_rules! needed {
    ($($name:ident),*) => {
        $(
            #[doc = concat!("The scope `", stringify!($name), "`.")]
            pub struct $name;

            impl Needed for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )*
    };
}

/// The scopes as types.
pub mod needs {
    use super::{Needed, Scope};

    needed! {
        CatalogRead, CatalogWrite, StockRead, StockWrite, OrdersRead, OrdersWrite, PromotionsRead,
        PromotionsWrite, ChannelsWrite, KeysWrite, Operations
    }
}
