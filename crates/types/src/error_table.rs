//! Every vipnode error is a row in a table that gives the message, the hint, and, for errors sent over the wire, the
//! code.

use std::error::Error;

use crate::wire::{ErrorCode, WireError};

/// A table of errors and what its errors are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorTable {
    /// A heading for a page of all errors.
    pub title: &'static str,
    /// One row for each variant.
    pub rows: &'static [ErrorRow],
}

/// An error that carries its code, message, and hint. The message is its `Display`.
pub trait TypedError: Error {
    /// Returns the wire code; `None` for an error that is never sent over the wire.
    fn code(&self) -> Option<ErrorCode>;

    /// How to fix it: an imperative sentence that names the flag, command or change. `None` where nothing can be done.
    fn hint(&self) -> Option<String>;

    /// When to try again, in milliseconds.
    fn retry_ms(&self) -> Option<u64> {
        None
    }

    /// What kind of error it is, whatever its details are: two errors of one kind have the same cause. Not for display; empty
    /// for a text that has no kind.
    fn kind(&self) -> String {
        String::new()
    }

    /// The error as it goes over the wire; see [`WireError::of`].
    fn to_wire(&self) -> WireError;
}

/// One kind of error: a row of the table that [`errors!`](crate::errors) declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorRow {
    /// Name of the enum's variant.
    pub name: &'static str,
    /// The code by which it goes over the wire.
    pub code: Option<ErrorCode>,
    /// What happened; `{field}` is filled in.
    pub message: &'static str,
    /// How to fix it.
    pub hint: HintRow,
    /// When it happens, from the variant's docs; begins with a space.
    pub doc: &'static str,
}

/// The hint of an [`ErrorRow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintRow {
    /// A sentence; `{field}` is filled in.
    Text(&'static str),
    /// That of the error in this field.
    Of(&'static str),
    /// Nothing can be done, for this reason.
    None(&'static str),
}

/// Declares an enum of errors and its table `ROWS` from one list of rows:
///
/// ```text
/// /// When it happens.
/// Name { field: Type }: Code, "message with {field}", hint "How to fix it.";
/// ```
///
/// - `Code` is an [`ErrorCode`], or `local` for an error that never goes over the wire by itself.
/// - Message and hint are format strings over the fields; further arguments follow in parentheses:
///   `"{path} cannot be read" (path = path.display())`.
/// - Instead of `hint "…"` stands `hint_of field`, where that field is an error with a hint of its own, or
///   `no_hint "why there is none"`.
/// - `, retry field` after the hint names the field that holds when to try again, in milliseconds (`u64`).
/// - `, kind field` after that names a field by which errors of this row are of several kinds ([`TypedError::kind`]).
/// - Below `also` stand variants that only wrap another [`TypedError`] and take over its message, code and hint.
///
/// ```
/// use vipnode_types::{TypedError, errors, wire::ErrorCode};
///
/// errors! {
///     /// Why a host admits no client.
///     #[derive(Debug)]
///     pub enum AdmitError {
///         /// All slots are in use.
///         Full { slots: u32, retry_ms: u64 }: Busy, "all {slots} slots are in use",
///             hint "Try again in {retry_ms} ms.", retry retry_ms;
///         /// The node is not running.
///         NodeDown: local, "the node does not respond", hint "Start the node.";
///     }
/// }
///
/// let full = AdmitError::Full { slots: 4, retry_ms: 50 }.to_wire();
/// assert!(full.is(ErrorCode::Busy));
/// assert_eq!(full.message, "all 4 slots are in use");
/// assert_eq!(full.hint(), Some("Try again in 50 ms."));
/// assert_eq!(AdmitError::ROWS[1].message, "the node does not respond");
/// ```
#[macro_export]
macro_rules! errors {
    (@code local) => { ::core::option::Option::None };
    (@code $code:ident) => { ::core::option::Option::Some($crate::wire::ErrorCode::$code) };
    (@hint hint $text:tt $($args:tt)*) => { ::core::option::Option::Some(::std::format!($text $($args)*)) };
    (@hint hint_of $inner:tt) => {{
        #[allow(unused_imports, reason = "the trait may be in scope already")]
        use $crate::TypedError as _;
        $inner.hint()
    }};
    (@hint no_hint $reason:tt) => { ::core::option::Option::None };
    (@hint_row hint $text:tt) => { $crate::HintRow::Text($text) };
    (@hint_row hint_of $inner:tt) => { $crate::HintRow::Of(stringify!($inner)) };
    (@hint_row no_hint $reason:tt) => { $crate::HintRow::None($reason) };
    (@kind $name:ident $row:ident hint_of $inner:tt) => {{
        #[allow(unused_imports, reason = "the trait may be in scope already")]
        use $crate::TypedError as _;
        $inner.kind()
    }};
    (@kind $name:ident $row:ident $hint:ident $text:tt) => {
        ::std::string::String::from(concat!(stringify!($name), "::", stringify!($row)))
    };
    (@kind $name:ident $row:ident $hint:ident $text:tt $by:ident) => {
        ::std::format!(concat!(stringify!($name), "::", stringify!($row), " {:?}"), $by)
    };
    (@retry) => { ::core::option::Option::None };
    (@retry $field:ident) => { ::core::option::Option::Some(*$field) };
    (
        $(#[$about:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $row:ident $({ $($(#[$about_field:meta])* $field:ident: $kind:ty),* $(,)? })?
                : $code:ident,
                $message:literal $(($($message_args:tt)+))?,
                $hint:ident $hint_text:tt $(($($hint_args:tt)+))?
                $(, retry $retry:ident)?
                $(, kind $by:ident)?;
            )*
        }
        $(also {
            $($(#[doc = $wrap_doc:literal])+ $wrap:ident($inner:ty);)*
        })?
    ) => {
        $(#[$about])*
        $vis enum $name {
            $(
                $(#[doc = $doc])+
                $row $({ $($(#[$about_field])* $field: $kind,)* })?,
            )*
            $($($(#[doc = $wrap_doc])+ $wrap($inner),)*)?
        }

        impl $name {
            /// Its rows, in order; variants that only wrap another error are rows of that error's table.
            $vis const ROWS: &'static [$crate::ErrorRow] = &[$($crate::ErrorRow {
                name: stringify!($row),
                code: $crate::errors!(@code $code),
                message: $message,
                hint: $crate::errors!(@hint_row $hint $hint_text),
                doc: concat!($($doc),+),
            }),*];
        }

        impl ::std::fmt::Display for $name {
            #[allow(unused_variables, reason = "a message need not name each field")]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$row { $($($field,)*)? .. } => ::std::write!(f, $message $(, $($message_args)+)?),)*
                    $($(Self::$wrap(inner) => ::std::fmt::Display::fmt(inner, f),)*)?
                }
            }
        }

        impl ::std::error::Error for $name {
            fn source(&self) -> ::core::option::Option<&(dyn ::std::error::Error + 'static)> {
                match self {
                    $($(Self::$wrap(inner) => ::std::error::Error::source(inner),)*)?
                    // The messages of the rows say what they come from.
                    #[allow(unreachable_patterns, reason = "a table may be of wrapped errors only")]
                    _ => ::core::option::Option::None,
                }
            }
        }

        impl $crate::TypedError for $name {
            fn code(&self) -> ::core::option::Option<$crate::wire::ErrorCode> {
                match self {
                    $(Self::$row { .. } => $crate::errors!(@code $code),)*
                    $($(Self::$wrap(inner) => $crate::TypedError::code(inner),)*)?
                }
            }

            #[allow(unused_variables, reason = "a hint need not name each field")]
            fn hint(&self) -> ::core::option::Option<::std::string::String> {
                match self {
                    $(Self::$row { $($($field,)*)? .. } =>
                        $crate::errors!(@hint $hint $hint_text $(, $($hint_args)+)?),)*
                    $($(Self::$wrap(inner) => $crate::TypedError::hint(inner),)*)?
                }
            }

            #[allow(unused_variables, reason = "only some rows say when to try again")]
            fn retry_ms(&self) -> ::core::option::Option<u64> {
                match self {
                    $(Self::$row { $($($field,)*)? .. } => $crate::errors!(@retry $($retry)?),)*
                    $($(Self::$wrap(inner) => $crate::TypedError::retry_ms(inner),)*)?
                }
            }

            #[allow(unused_variables, reason = "only some rows are of several kinds")]
            fn kind(&self) -> ::std::string::String {
                match self {
                    $(Self::$row { $($($field,)*)? .. } =>
                        $crate::errors!(@kind $name $row $hint $hint_text $($by)?),)*
                    $($(Self::$wrap(inner) => $crate::TypedError::kind(inner),)*)?
                }
            }

            fn to_wire(&self) -> $crate::wire::WireError {
                match self {
                    $($(Self::$wrap(inner) => $crate::TypedError::to_wire(inner),)*)?
                    #[allow(unreachable_patterns, reason = "a table may be of wrapped errors only")]
                    _ => $crate::wire::WireError::of(self),
                }
            }
        }

        impl ::core::convert::From<$name> for $crate::wire::WireError {
            fn from(error: $name) -> Self {
                $crate::TypedError::to_wire(&error)
            }
        }

        $($(impl ::core::convert::From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                Self::$wrap(inner)
            }
        })*)?
    };
}
