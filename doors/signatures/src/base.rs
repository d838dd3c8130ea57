//! What is signed: components, parameters, and the text that is made of them (RFC 9421 §2.5).

use sfv::{BareItem, Dictionary, InnerList, Item, Key, KeyRef, ListEntry, Parser};

use crate::message::{Message, item_text};

/// A part of a message that a signature covers: a header by its lowercase name, a member of a header that is a
/// dictionary, or a derived part such as `@method`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    name: String,
    key: Option<String>,
}

impl Component {
    /// A component by its name, which is taken in lowercase.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_ascii_lowercase(), key: None }
    }

    /// One member of a header that is a dictionary.
    pub fn member(name: &str, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..Self::new(name) }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The member, if only one of the header is meant.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// `None` where a parameter is not supported: then nobody can tell what was signed.
    fn read(item: &Item) -> Option<Self> {
        let BareItem::String(name) = &item.bare_item else { return None };
        let name = name.as_str();
        if name != name.to_ascii_lowercase() {
            return None;
        }
        let mut component = Self::new(name);
        for (parameter, value) in &item.params {
            match (parameter.as_str(), value) {
                ("key", BareItem::String(key)) => component.key = Some(key.as_str().to_owned()),
                _ => return None,
            }
        }
        Some(component)
    }

    fn item(&self) -> Result<Item, Unsignable> {
        let mut item = Item::new(text(&self.name)?);
        if let Some(key) = &self.key {
            item.params.insert(KeyRef::constant("key").to_owned(), text(key)?);
        }
        Ok(item)
    }
}

/// What a signature says about itself (RFC 9421 §2.3). The algorithm is not among it: it follows from the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
    /// A word that makes it unique.
    pub nonce: Option<String>,
    /// The name of the key.
    pub keyid: Option<String>,
    /// What it is for.
    pub tag: Option<String>,
}

/// Why a message cannot be signed. The signer has a mistake in it, not the message of a stranger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// The message has no such component.
    #[error("the message has no {0}")]
    NoComponent(String),
    /// A word cannot stand in a header.
    #[error("a word of the signature cannot stand in a header")]
    Word,
}

/// What a signature covers, in its order, with what it says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub components: Vec<Component>,
    pub params: Params,
    /// As it stands in the header, with everything that we do not understand.
    list: InnerList,
}

impl Input {
    pub fn new(components: Vec<Component>, params: Params) -> Result<Self, Unsignable> {
        let items = components.iter().map(Component::item).collect::<Result<_, _>>()?;
        let mut list = InnerList::new(items);
        let mut put = |name, value: Option<BareItem>| {
            if let Some(value) = value {
                list.params.insert(KeyRef::constant(name).to_owned(), value);
            }
        };
        put("created", params.created.map(seconds).transpose()?);
        put("expires", params.expires.map(seconds).transpose()?);
        put("nonce", params.nonce.as_deref().map(text).transpose()?);
        put("keyid", params.keyid.as_deref().map(text).transpose()?);
        put("tag", params.tag.as_deref().map(text).transpose()?);
        Ok(Self { components, params, list })
    }

    /// Understands a member of the header `Signature-Input`. `None` if it makes no sense, or says what we do not
    /// support.
    pub fn read(entry: &ListEntry) -> Option<Self> {
        let ListEntry::InnerList(list) = entry else { return None };
        let components = list.items.iter().map(Component::read).collect::<Option<Vec<_>>>()?;
        let repeats = (1..components.len()).any(|n| components[..n].contains(&components[n]));
        if repeats {
            return None;
        }
        let mut params = Params::default();
        for (name, value) in &list.params {
            match (name.as_str(), value) {
                ("created", BareItem::Integer(at)) => params.created = Some(i64::from(*at)),
                ("expires", BareItem::Integer(at)) => params.expires = Some(i64::from(*at)),
                ("nonce", BareItem::String(word)) => params.nonce = Some(word.as_str().to_owned()),
                ("keyid", BareItem::String(word)) => params.keyid = Some(word.as_str().to_owned()),
                ("tag", BareItem::String(word)) => params.tag = Some(word.as_str().to_owned()),
                ("created" | "expires" | "nonce" | "keyid" | "tag", _) => return None,
                // An `alg` that somebody states is signed with the rest; the key decides.
                _ => {}
            }
        }
        Some(Self { components, params, list: list.clone() })
    }

    /// The member of the header `Signature-Input`.
    pub fn header(&self, label: &str) -> Result<String, Unsignable> {
        let mut dictionary = Dictionary::new();
        let key = Key::from_string(label.to_owned()).map_err(|_| Unsignable::Word)?;
        dictionary.insert(key, self.list.clone().into());
        let mut serializer = sfv::DictSerializer::new();
        serializer.members(&dictionary);
        serializer.finish().ok_or(Unsignable::Word)
    }

    /// The text that is signed (RFC 9421 §2.5).
    pub fn base(&self, message: &Message<'_>) -> Result<String, Unsignable> {
        let mut base = String::new();
        for (component, item) in self.components.iter().zip(&self.list.items) {
            let missing = || Unsignable::NoComponent(component.name.clone());
            let value = message.value(component).ok_or_else(missing)?;
            // A line break would let a value pose as a component.
            if value.contains(['\r', '\n']) {
                return Err(Unsignable::Word);
            }
            base.push_str(&item_text(item));
            base.push_str(": ");
            base.push_str(&value);
            base.push('\n');
        }
        let mut serializer = sfv::ListSerializer::new();
        serializer.members([&ListEntry::InnerList(self.list.clone())]);
        base.push_str("\"@signature-params\": ");
        base.push_str(&serializer.finish().ok_or(Unsignable::Word)?);
        Ok(base)
    }
}

/// The members of a header that is a dictionary; `None` if it is something else.
pub(crate) fn dictionary(text: &str) -> Option<Dictionary> {
    Parser::new(text).parse().ok()
}

fn text(word: &str) -> Result<BareItem, Unsignable> {
    let word = sfv::String::from_string(word.to_owned()).map_err(|_| Unsignable::Word)?;
    Ok(BareItem::String(word))
}

fn seconds(at: i64) -> Result<BareItem, Unsignable> {
    Ok(BareItem::Integer(sfv::Integer::try_from(at).map_err(|_| Unsignable::Word)?))
}
