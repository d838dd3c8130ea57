//! Codes: how merchants write them and how buyers may type them.

use std::collections::BTreeSet;

use crate::{
    refusal::{FieldErrors, Refusal},
    text,
};

/// Most codes of a cart.
pub const CODES_MAX: usize = 10;
/// Most codes of one promotion.
pub const PROMOTION_CODES_MAX: usize = 1_000;
/// Longest code, in characters.
const LENGTH_MAX: usize = 64;

/// A code as it is stored and compared: in capitals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CouponCode(Box<str>);

impl CouponCode {
    /// The code that a buyer means, however it is capitalized. A text that no merchant could have chosen is a
    /// code that nobody has.
    pub fn meant_by(text: &str) -> Self {
        Self(text.trim().to_ascii_uppercase().into())
    }

    /// The code in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks the codes of a promotion; `pointer` names the list in the refusal. Two that differ only in
    /// capitals are one.
    pub fn checked(pointer: &str, codes: &[String]) -> Result<BTreeSet<Self>, Refusal> {
        let mut errors = FieldErrors::default();
        errors.check(
            codes.len() <= PROMOTION_CODES_MAX,
            pointer,
            format!("must not be more than {PROMOTION_CODES_MAX}"),
        );
        for (at, code) in codes.iter().take(PROMOTION_CODES_MAX).enumerate() {
            let code = code.trim();
            errors.check(
                (1..=LENGTH_MAX).contains(&code.len())
                    && code.bytes().all(|byte| byte.is_ascii_graphic()),
                format!("{pointer}/{at}"),
                format!("must be 1 to {LENGTH_MAX} printable ASCII characters without spaces"),
            );
        }
        errors.finish()?;
        Ok(codes.iter().map(|code| Self::meant_by(code)).collect())
    }
}

/// Checks the codes that a buyer gave. They need not exist.
pub fn checked_codes(codes: &[String]) -> Result<Vec<String>, Refusal> {
    let mut errors = FieldErrors::default();
    errors.check(codes.len() <= CODES_MAX, "/codes", format!("must not be more than {CODES_MAX}"));
    let mut checked = Vec::with_capacity(codes.len().min(CODES_MAX));
    for (at, code) in codes.iter().take(CODES_MAX).enumerate() {
        let pointer = format!("/codes/{at}");
        if text::looks_like_card_number(code) {
            errors.take::<()>(Err(Refusal::card_number(pointer)));
            continue;
        }
        checked.extend(errors.take(text::line(&pointer, code, LENGTH_MAX)));
    }
    errors.finish()?;
    Ok(checked)
}
