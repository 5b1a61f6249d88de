//! A client's request.

use super::input_in;
use super::tools_in::{self, Tools};
use crate::chat::{
    Block, Effort, Extra, Message, Output, OutputSchema, Reasoning, Request, Role, Text, Tool,
};
use crate::format::{Fault, PathFacts};
use crate::openai_chat::words::effort_in;
use crate::strangers::note;
use crate::value::{Member, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// Members that the reply repeats.
const ECHOED: [&str; 23] = [
    "background",
    "conversation",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// Members that say what is so anyway.
const USUAL: [(&str, &str); 5] = [
    ("background", "false"),
    ("store", "false"),
    ("stream_options", "{}"),
    ("stream_options", "{\"include_obfuscation\":false}"),
    ("truncation", "\"disabled\""),
];

pub(super) fn decode<'a>(body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    let body = Value::parse(body)?;
    if !body.is_object() {
        return Err(Fault::new("The body must be a JSON object."));
    }
    let mut reader = Reader::default();
    for member in body.members().iter().filter(|(_, value)| !value.is_null()) {
        reader.echo(member);
        reader.member(member)?;
    }
    reader.finish(path)
}

#[derive(Default)]
struct Reader<'a> {
    request: Request<'a>,
    instructions: Option<Text<'a>>,
    /// Tools that the client found when the model searched for some.
    found: Vec<Tool<'a>>,
    has_input: bool,
    top_logprobs: Option<u64>,
    wants_logprobs: bool,
    /// `user`, as text and as it stands.
    user: Option<(Text<'a>, &'a str)>,
}

fn wrong(name: &str, what: &str) -> Fault {
    Fault::of(name, format!("It must be {what}."))
}

fn text<'a>(name: &str, value: &Value<'a>) -> Result<Text<'a>, Fault> {
    value.text().ok_or_else(|| wrong(name, "a string"))
}

fn flag(name: &str, value: &Value<'_>) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| wrong(name, "true or false"))
}

fn count(name: &str, value: &Value<'_>) -> Result<u64, Fault> {
    value.as_u64().ok_or_else(|| wrong(name, "a whole number"))
}

fn number(name: &str, value: &Value<'_>) -> Result<f64, Fault> {
    value.as_f64().ok_or_else(|| wrong(name, "a number"))
}

impl<'a> Reader<'a> {
    fn echo(&mut self, (name, value): &Member<'a>) {
        let conversation = value.as_str().filter(|_| name == "conversation");
        let value = match conversation {
            Some(_) => Cow::Owned(["{\"id\":", value.raw(), "}"].concat()),
            None => Cow::Borrowed(value.raw()),
        };
        let name = if name == super::stored::JOINED {
            Cow::Borrowed("previous_response_id")
        } else if ECHOED.contains(&&**name) {
            name.clone()
        } else {
            return;
        };
        self.request.echo.push(Extra { name, value });
    }

    fn member(&mut self, (name, value): &Member<'a>) -> Result<(), Fault> {
        let request = &mut self.request;
        match &**name {
            "model" => request.model = text(name, value)?,
            "instructions" => self.instructions = Some(text(name, value)?),
            "input" => {
                self.has_input = true;
                let input = input_in::read(value)?;
                request.messages = input.conversation.finish();
                request.extra.extend(input.extra);
                self.found = input.found.tools;
            }
            "tools" => {
                let mut tools = Tools::default();
                tools.add_all(value, "tools")?;
                request.tools = tools.tools;
                request.extra.extend(tools.extra);
            }
            "tool_choice" => {
                let known = ["type", "name", "namespace", "mode", "tools"];
                tools_in::tool_choice(value, request)?;
                if request.tool_choice.is_some() {
                    note(value, &known, &|| name.clone().into_owned(), &mut request.extra);
                }
            }
            "parallel_tool_calls" => request.parallel_tool_calls = Some(flag(name, value)?),
            "max_output_tokens" => request.max_output_tokens = Some(count(name, value)?),
            "temperature" => request.temperature = Some(number(name, value)?),
            "top_p" => request.top_p = Some(number(name, value)?),
            "top_logprobs" => self.top_logprobs = Some(count(name, value)?),
            "stream" => request.stream = flag(name, value)?,
            "service_tier" => request.service_tier = Some(text(name, value)?),
            "metadata" => request.metadata = Some(Cow::Borrowed(value.raw())),
            "include" => self.include(value)?,
            "text" => self.text(value)?,
            "reasoning" => self.reasoning(value)?,
            "user" => self.user = Some((text(name, value)?, value.raw())),
            "safety_identifier" => request.end_user = Some(text(name, value)?),
            super::stored::JOINED => {}
            _ if USUAL.contains(&(name, value.raw())) => {}
            _ => self.extra(name.clone(), value),
        }
        Ok(())
    }

    fn extra(&mut self, name: Cow<'a, str>, value: &Value<'a>) {
        self.request.extra.push(Extra { name, value: Cow::Borrowed(value.raw()) });
    }

    fn include(&mut self, value: &Value<'a>) -> Result<(), Fault> {
        if !value.is_array() {
            return Err(wrong("include", "a list"));
        }
        let mut others = Vec::new();
        for one in value.items() {
            match one.as_str() {
                Some("reasoning.encrypted_content") => {
                    self.request.reasoning.get_or_insert_default().sealed = true;
                }
                Some("message.output_text.logprobs") => self.wants_logprobs = true,
                _ => others.push(one.raw()),
            }
        }
        if !others.is_empty() {
            let value = Cow::Owned(format!("[{}]", others.join(",")));
            self.request.extra.push(Extra { name: "include".into(), value });
        }
        Ok(())
    }

    fn text(&mut self, value: &Value<'a>) -> Result<(), Fault> {
        if !value.is_object() {
            return Err(wrong("text", "an object"));
        }
        for (name, value) in value.members() {
            if name == "format" && !value.is_null() {
                let known = ["type", "name", "description", "schema", "strict"];
                note(value, &known, &|| "text.format".to_owned(), &mut self.request.extra);
                self.request.output = output(value)?;
            } else if !value.is_null() {
                self.extra(format!("text.{name}").into(), value);
            }
        }
        Ok(())
    }

    fn reasoning(&mut self, value: &Value<'a>) -> Result<(), Fault> {
        if !value.is_object() {
            return Err(wrong("reasoning", "an object"));
        }
        for (name, value) in value.members().iter().filter(|(_, value)| !value.is_null()) {
            let reasoning = self.request.reasoning.get_or_insert_default();
            match &**name {
                "effort" => {
                    let word = text("reasoning.effort", value)?;
                    reasoning.effort = effort_in(&word);
                    // `max`, and what comes after it.
                    if word == "max" || reasoning.effort.is_none() {
                        self.extra("reasoning.effort".into(), value);
                    }
                }
                "summary" | "generate_summary" => {
                    let word = text("reasoning.summary", value)?;
                    reasoning.visible = Some(word != "none");
                    reasoning.summary = Some(word).filter(|word| word != "none");
                }
                _ => self.extra(format!("reasoning.{name}").into(), value),
            }
        }
        self.seal();
        Ok(())
    }

    /// Who thinks gets the proofs, asked or not: without them the thoughts of a conversation that is kept
    /// nowhere else would be lost.
    fn seal(&mut self) {
        if let Some(Reasoning { effort, sealed, .. }) = &mut self.request.reasoning {
            *sealed |= *effort != Some(Effort::None);
        }
    }

    fn finish(mut self, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
        let request = &mut self.request;
        if let Some(model) = path.model {
            request.model = Cow::Borrowed(model);
        }
        request.stream |= path.stream;
        request.stream_usage = true;
        let has = |name: &str| request.extra.iter().any(|one| one.name == name);
        if request.model.is_empty() {
            return Err(Fault::of("model", "The field `model` is missing."));
        }
        if !self.has_input && !super::ESSENTIAL.iter().any(|name| has(name)) {
            return Err(Fault::of("input", "The field `input` is missing."));
        }
        request.logprobs = match self.top_logprobs {
            Some(0) if !self.wants_logprobs => None,
            None => self.wants_logprobs.then_some(0),
            most => most,
        };
        if let Some(text) = self.instructions {
            let blocks = vec![Block::text(text)];
            request.messages.insert(0, Message { role: Role::System, name: None, blocks });
        }
        add_found(&mut request.tools, self.found);
        // `user` is the older word for the end user; beside the newer one it stays what it is.
        match self.user {
            Some((_, raw)) if request.end_user.is_some() => {
                request.extra.push(Extra { name: "user".into(), value: Cow::Borrowed(raw) });
            }
            Some((user, _)) => request.end_user = Some(user),
            None => {}
        }
        request.extra.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(self.request)
    }
}

/// Adds the tools that are not there yet: the same one may be found again and again.
fn add_found<'a>(tools: &mut Vec<Tool<'a>>, found: Vec<Tool<'a>>) {
    if found.is_empty() {
        return;
    }
    let name = |tool: &Tool<'a>| match tool {
        Tool::Function(function) => function.name.clone(),
        Tool::Hosted { value, .. } => value.clone(),
    };
    let mut known: HashSet<Text<'a>> = tools.iter().map(name).collect();
    tools.extend(found.into_iter().filter(|tool| known.insert(name(tool))));
}

fn output<'a>(format: &Value<'a>) -> Result<Output<'a>, Fault> {
    let field = |name: &str| format.get(name).and_then(Value::text);
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(Output::Text),
        Some("json_object") => Ok(Output::Json),
        Some("json_schema") => {
            let schema = format.get("schema").filter(|schema| schema.is_object());
            let schema = schema.ok_or_else(|| wrong("text.format.schema", "a JSON Schema"))?;
            Ok(Output::Schema(OutputSchema {
                name: field("name").unwrap_or("output".into()),
                description: field("description"),
                schema: Cow::Borrowed(schema.raw()),
                strict: format.get("strict").and_then(Value::as_bool),
            }))
        }
        _ => Err(wrong("text.format.type", "text, json_object or json_schema")),
    }
}
