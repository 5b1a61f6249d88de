//! Tools that the model may call.

use super::{Cache, Raw, Text};

/// A tool.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool<'a> {
    /// A function that the client runs.
    Function(Function<'a>),
    /// A tool that its provider runs (web search, code execution, …): only its own format knows it.
    Hosted {
        /// Its type, for the list of what was dropped.
        kind: Text<'a>,
        /// The definition as it stands.
        value: Raw<'a>,
    },
}

/// A function that the model may call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Function<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// What it is for.
    pub description: Option<Text<'a>>,
    /// JSON Schema of its arguments.
    pub parameters: Option<Raw<'a>>,
    /// The arguments must fit the schema.
    pub strict: Option<bool>,
    /// Cache up to here.
    pub cache: Option<Cache<'a>>,
    /// What its calls look like to a client or provider who knows the form; to all others it is a
    /// function with `parameters`.
    pub form: FunctionForm,
    /// The group that the client has it in, if `name` is made of that and of its name there.
    pub group: Option<Group<'a>>,
}

/// A function's place in a group of tools (a `namespace` of OpenAI's Responses).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// The group.
    pub namespace: Text<'a>,
    /// The function's name there.
    pub name: Text<'a>,
}

/// What the calls of a function look like in OpenAI's formats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FunctionForm {
    /// Arguments as a JSON object.
    #[default]
    Arguments,
    /// One free text (a `custom` tool). Canonically an object whose `input` is that text.
    FreeText,
    /// A command for the client's shell (the `local_shell` tool). Canonically the call's `action`.
    LocalShell,
    /// A search for tools by the client (the `tool_search` tool).
    ToolSearch,
}

/// Whether tools are to be called.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolChoice<'a> {
    /// If the model wants.
    Auto,
    /// No.
    None,
    /// At least one.
    Required,
    /// This one.
    Function(Text<'a>),
    /// Some of these; at least one if required.
    Allowed {
        /// Their names.
        names: Vec<Text<'a>>,
        /// One has to be called.
        required: bool,
    },
}
