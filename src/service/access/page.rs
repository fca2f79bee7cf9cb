//! Pages of lists: at most [`MAX_ITEMS`] items, and where the next page begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::service::error::{Error, Result};

/// Most items of a page.
pub const MAX_ITEMS: u32 = 500;
/// Items of a page when the caller does not say.
pub const DEFAULT_ITEMS: u32 = 100;

/// Which page is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// [`Page::next`] of the page before; the first page without it.
    pub after: Option<String>,
    /// Items, at most [`MAX_ITEMS`]; [`DEFAULT_ITEMS`] without it.
    pub limit: Option<u32>,
}

/// Some items of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// For `Paging::after`; none on the last page.
    pub next: Option<String>,
}

impl Paging {
    /// Row number of the last item before the page; 0 at the beginning.
    pub(in crate::service) fn after(&self) -> Result<i64> {
        Ok(self.after_numbers()?.map_or(0, |[number]| number))
    }

    /// Several numbers after which the page begins, as [`cursor_of`] them; none at the beginning.
    pub(in crate::service) fn after_numbers<const N: usize>(&self) -> Result<Option<[i64; N]>> {
        let Some(text) = &self.after else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 8 * N);
        let bytes = bytes.ok_or_else(|| Error::invalid("/after", "`after` is not the `next` of a page"))?;
        let mut numbers = [0; N];
        for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks().0) {
            *number = i64::from_be_bytes(*bytes);
        }
        Ok(Some(numbers))
    }

    /// Text after which the page begins, for lists in the order of a text; empty at the beginning.
    pub(in crate::service) fn after_text(&self) -> Result<String> {
        let Some(text) = &self.after else {
            return Ok(String::new());
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| Error::invalid("/after", "`after` is not the `next` of a page"))
    }

    /// Items of the page.
    pub(in crate::service) fn items(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_ITEMS).clamp(1, MAX_ITEMS)
    }

    /// Rows to read: one more than is shown tells whether there is a next page.
    pub(in crate::service) fn rows(&self) -> u32 {
        self.items() + 1
    }

    /// Cuts what was read to the page.
    pub(in crate::service) fn cut<T>(&self, mut rows: Vec<T>, number: impl Fn(&T) -> i64) -> Page<T> {
        let items = self.items() as usize;
        let more = rows.len() > items;
        rows.truncate(items);
        let next = rows.last().filter(|_| more).map(|last| cursor(number(last)));
        Page { items: rows, next }
    }

    /// The same for a list in the order of a text.
    pub(in crate::service) fn cut_text<T>(&self, mut rows: Vec<T>, text: impl Fn(&T) -> String) -> Page<T> {
        let items = self.items() as usize;
        let more = rows.len() > items;
        rows.truncate(items);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| URL_SAFE_NO_PAD.encode(text(last)));
        Page { items: rows, next }
    }
}

/// The text after which a page continues behind this row number.
pub(in crate::service) fn cursor(number: i64) -> String {
    cursor_of([number])
}

/// The same behind several numbers.
pub(in crate::service) fn cursor_of<const N: usize>(numbers: [i64; N]) -> String {
    URL_SAFE_NO_PAD.encode(numbers.map(i64::to_be_bytes).concat())
}

impl<T> Page<T> {
    /// The same page of other things.
    pub(in crate::service) fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(make).collect(),
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_begins_after_the_last_item() {
        let paging = Paging {
            after: None,
            limit: Some(2),
        };
        let page = paging.cut(vec![3, 5, 9], |number| *number);
        assert_eq!(page.items, [3, 5]);
        let next = Paging {
            after: page.next,
            limit: None,
        };
        assert_eq!(next.after().unwrap(), 5);
        assert_eq!(paging.cut(vec![9], |number| *number).next, None);
        let several = Paging {
            after: Some(cursor_of([7, -1, i64::MAX])),
            limit: None,
        };
        assert_eq!(several.after_numbers().unwrap(), Some([7, -1, i64::MAX]));
        assert!(several.after().is_err(), "it is of another list");
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        let paging = Paging {
            after: Some("7".to_owned()),
            limit: None,
        };
        assert!(matches!(paging.after(), Err(Error::Invalid(_))));
    }
}
