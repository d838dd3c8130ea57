//! Fields of forms as the templates show them: with a label, what was typed, and what is wrong with it.

use handel_domain::refusal::FieldError;

use crate::words::Words;

/// A field of a form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The name in the form, and the id on the page.
    pub(crate) name: String,
    /// What it is called.
    pub(crate) label: String,
    /// What it says.
    pub(crate) value: String,
    /// What is wrong with it.
    pub(crate) error: Option<String>,
    /// What helps to fill it.
    pub(crate) hint: Option<&'static str>,
    /// What the browser may fill in, by the names of HTML's `autocomplete`.
    pub(crate) autocomplete: String,
    /// The `type` of the input.
    pub(crate) kind: &'static str,
    /// The values to choose from; empty for a text.
    pub(crate) options: Vec<Choice>,
    /// Whether it cannot be left empty.
    pub(crate) is_required: bool,
    /// What is said where it can, after the label.
    pub(crate) remark: &'static str,
    /// Whether it stands beside another one.
    pub(crate) is_half: bool,
    /// The button that shows the form anew for the value that is chosen, on pages without scripts.
    pub(crate) update: Option<&'static str>,
}

/// A value to choose.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// What is sent.
    pub(crate) value: String,
    /// What is read.
    pub(crate) label: String,
    /// More about it.
    pub(crate) note: String,
    /// What it costs, or where it stands, at the end of the line.
    pub(crate) aside: String,
    /// Whether it is chosen.
    pub(crate) is_chosen: bool,
}

/// Something wrong, with the place where it is mended.
#[derive(Clone, Debug)]
pub(crate) struct Complaint {
    /// The field, such as `#email`; empty if it is not a field.
    pub(crate) href: String,
    /// What is wrong.
    pub(crate) text: String,
}

impl Field {
    /// A line of text that is needed.
    pub(crate) fn text(
        name: impl Into<String>,
        label: impl Into<String>,
        autocomplete: &str,
    ) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            value: String::new(),
            error: None,
            hint: None,
            autocomplete: autocomplete.to_owned(),
            kind: "text",
            options: Vec::new(),
            is_required: true,
            remark: "",
            is_half: false,
            update: None,
        }
    }

    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// A line that may be left empty, and what is said of that.
    pub(crate) fn optional(self, remark: &'static str) -> Self {
        Self { is_required: false, remark, ..self }
    }

    pub(crate) fn half(self) -> Self {
        Self { is_half: true, ..self }
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    pub(crate) fn update(self, label: &'static str) -> Self {
        Self { update: Some(label), ..self }
    }

    pub(crate) fn choices(self, options: Vec<Choice>) -> Self {
        Self { options, ..self }
    }

    /// What `aria-describedby` names: the hint and the error, where they are.
    pub(crate) fn described_by(&self) -> String {
        let hint = self.hint.map(|_| format!("{}-hint", self.name));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.name));
        hint.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
            note: String::new(),
            aside: String::new(),
            is_chosen: false,
        }
    }

    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    pub(crate) fn aside(self, aside: impl Into<String>) -> Self {
        Self { aside: aside.into(), ..self }
    }

    pub(crate) fn chosen(self, is_chosen: bool) -> Self {
        Self { is_chosen, ..self }
    }
}

impl Complaint {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { href: String::new(), text: text.into() }
    }

    pub(crate) fn at(field: &str, text: impl Into<String>) -> Self {
        Self { href: format!("#{field}"), text: text.into() }
    }
}

/// Writes what is wrong beside the fields that are named, and lists everything, also what has no field.
pub(crate) fn complain(
    fields: &mut [&mut Field],
    errors: &[FieldError],
    field_of: impl Fn(&str) -> Option<String>,
    w: &Words,
) -> Vec<Complaint> {
    let mut complaints = Vec::with_capacity(errors.len());
    for error in errors {
        let name = field_of(&error.pointer);
        match fields.iter_mut().find(|field| Some(&field.name) == name.as_ref()) {
            Some(field) => {
                let text = w.about(&field.label, &error.message);
                complaints.push(Complaint::at(&field.name, text.clone()));
                field.error.get_or_insert(text);
            }
            None => complaints.push(Complaint::new(w.sentence(&error.message))),
        }
    }
    complaints
}
