//! Settings and tools of requests, in both directions.
use super::*;
use crate::chat::{Effort, Function, Output, OutputSchema, Reasoning, Tool, ToolChoice};

#[test]
fn both_spellings_and_numbers_as_strings_are_read() {
    let camel = asking(
        r#""systemInstruction":{"parts":[{"text":"s"}]},"serviceTier":"flex","generationConfig":{
            "maxOutputTokens":5,"topP":0.5,"topK":40,"candidateCount":2,"stopSequences":["a"],
            "presencePenalty":1,"frequencyPenalty":-1,"responseLogprobs":true,"logprobs":3,"seed":-7,
            "thinkingConfig":{"includeThoughts":true,"thinkingBudget":1024}}"#,
    );
    let snake = asking(
        r#""system_instruction":{"parts":[{"text":"s"}]},"service_tier":"FLEX","generation_config":{
            "max_output_tokens":"5","top_p":"0.5","top_k":40.0,"candidate_count":"2",
            "stop_sequences":["a"],"presence_penalty":1.0,"frequency_penalty":"-1",
            "response_logprobs":true,"logprobs":"3","seed":"-7",
            "thinking_config":{"include_thoughts":true,"thinking_budget":"1024"}}"#,
    );
    let request = decode(&camel);
    assert_eq!(request, decode(&snake));
    assert_eq!(request.max_output_tokens, Some(5));
    assert_eq!((request.logprobs, request.seed, request.n), (Some(3), Some(-7), Some(2)));
    assert_eq!(request.service_tier.as_deref(), Some("flex"));
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.budget, reasoning.visible), (Some(1024), Some(true)));
}

#[test]
fn model_and_stream_come_from_the_path() {
    let path = PathFacts { model: Some("gemini-x"), stream: true };
    let body = asking(r#""model":"models/other""#);
    let request = GeminiGenerate.decode_request(&body, path).unwrap();
    assert_eq!((&*request.model, request.stream, request.stream_usage), ("gemini-x", true, true));
    let request = GeminiGenerate.decode_request(&body, PathFacts::default()).unwrap();
    assert_eq!(request.model, "other");
}

#[test]
fn wrong_fields_are_named() {
    for (body, param) in [
        ("{}", "contents"),
        (r#"{"contents":{}}"#, "contents"),
        (r#"{"contents":[5]}"#, "contents[0]"),
        (r#"{"contents":[{"role":"assistant","parts":[]}]}"#, "contents[0].role"),
        (r#"{"contents":[{"role":"system","parts":[]}]}"#, "contents[0].role"),
        (r#"{"contents":[{"parts":7}]}"#, "contents[0].parts"),
        (r#"{"contents":[{"parts":[{}]}]}"#, "contents[0].parts[0]"),
        (
            r#"{"contents":[{"parts":[{"inlineData":{"data":""}}]}]}"#,
            "contents[0].parts[0].inlineData",
        ),
        (
            r#"{"contents":[{"role":"model","parts":[{"functionCall":{"args":{}}}]}]}"#,
            "contents[0].parts[0].functionCall.name",
        ),
        (
            r#"{"contents":[{"parts":[{"functionResponse":{"name":"f","response":[]}}]}]}"#,
            "contents[0].parts[0].functionResponse.response",
        ),
        (&asking(r#""generationConfig":{"temperature":"hot"}"#), "generationConfig.temperature"),
        (&asking(r#""generationConfig":{"topK":1.5}"#), "generationConfig.topK"),
        (&asking(r#""generationConfig":{"stopSequences":"a"}"#), "generationConfig.stopSequences"),
        (
            &asking(r#""generationConfig":{"thinkingConfig":{"thinkingLevel":"A LOT"}}"#),
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
        (&asking(r#""tools":{}"#), "tools"),
        (
            &asking(r#""tools":[{"functionDeclarations":[{"description":"d"}]}]"#),
            "tools[0].functionDeclarations[0].name",
        ),
        (
            &asking(r#""toolConfig":{"functionCallingConfig":{"mode":"SOMETIMES"}}"#),
            "toolConfig.functionCallingConfig.mode",
        ),
    ] {
        let fault = GeminiGenerate.decode_request(body, PathFacts::default()).unwrap_err();
        assert_eq!(fault.param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn what_has_no_place_rides_along_with_its_path() {
    let body = r#"{"contents":[{"parts":[{"text":"x","partMetadata":{"a":1}},
        {"fileData":{"fileUri":"https://youtu.be/1"},"video_metadata":{"fps":2}}]}],
        "safetySettings":[],"x_new":1,"generationConfig":{"mediaResolution":"MEDIA_RESOLUTION_LOW",
        "responseModalities":["TEXT"],"thinkingConfig":{"newer":1}},
        "toolConfig":{"retrievalConfig":{}}}"#;
    let request = decode(body);
    let mut names: Vec<&str> = request.extra.iter().map(|one| &*one.name).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "contents[0].parts[0].partMetadata",
            "contents[0].parts[1].video_metadata",
            "generationConfig.mediaResolution",
            "generationConfig.thinkingConfig.newer",
            "safetySettings",
            "toolConfig.retrievalConfig",
            "x_new",
        ]
    );
    let (written, dropped) = encode(&request, &target("m"));
    for carried in [
        r#""safetySettings":[]"#,
        r#""mediaResolution":"MEDIA_RESOLUTION_LOW""#,
        r#""toolConfig":{"retrievalConfig":{}}"#,
    ] {
        assert!(written.contains(carried), "{carried}: {written}");
    }
    assert_eq!(dropped.len(), 4, "{dropped:?}");
}

#[test]
fn settings_arrive_as_they_were() {
    for config in [
        r#"{"temperature":0.5,"topP":0.9,"topK":40,"presencePenalty":1,"frequencyPenalty":-1,"seed":-7,"responseLogprobs":true,"logprobs":3,"candidateCount":2,"maxOutputTokens":5,"stopSequences":["a"]}"#,
        r#"{"responseMimeType":"application/json"}"#,
        r#"{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}"#,
        r#"{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1024}}"#,
        r#"{"thinkingConfig":{"thinkingLevel":"HIGH"}}"#,
        r#"{"thinkingConfig":{"thinkingBudget":0}}"#,
        r#"{"responseMimeType":"text/x.enum","responseSchema":{"type":"STRING","enum":["a"]}}"#,
        r#"{"speechConfig":{"voiceConfig":{}},"responseModalities":["AUDIO"]}"#,
    ] {
        let (body, dropped) = passed(&asking(&format!(r#""generationConfig":{config}"#)));
        let expected = format!(
            r#"{{"contents":[{{"role":"user","parts":[{{"text":"x"}}]}}],"generationConfig":{config}}}"#
        );
        assert_eq!((body, dropped), (expected, vec![]));
    }
}

#[test]
fn a_schema_is_read_from_all_of_its_places() {
    let expected = Output::Schema(OutputSchema {
        name: "output".into(),
        schema: r#"{"type":"string"}"#.into(),
        ..OutputSchema::default()
    });
    for config in [
        r#"{"responseMimeType":"application/json","responseSchema":{"type":"STRING"}}"#,
        r#"{"responseSchema":{"type":"STRING"},"responseJsonSchema":{"type":"string"}}"#,
        r#"{"_responseJsonSchema":{"type":"string"},"responseMimeType":"application/json"}"#,
        r#"{"responseMimeType":"application/json","responseJsonSchema":{"type":"STRING"}}"#,
        r#"{"responseFormat":[{"text":{"mimeType":"APPLICATION_JSON","schema":{"type":"string"}}}]}"#,
        r#"{"response_format":{"text":{"schema":{"type":"string"}}}}"#,
    ] {
        let body = asking(&format!(r#""generationConfig":{config}"#));
        assert_eq!(decode(&body).output, expected, "{config}");
    }
    let both = asking(r#""generationConfig":{"responseFormat":[{"text":{}},{"audio":{}}]}"#);
    assert_eq!(decode(&both).extra.len(), 1);
}

#[test]
fn a_dynamic_budget_is_left_to_the_model() {
    let body = asking(r#""generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}"#);
    let hidden = Reasoning { visible: Some(false), ..Reasoning::default() };
    assert_eq!(decode(&body).reasoning, Some(hidden));
    assert!(encode(&decode(&body), &target("gemini-2.5-flash")).0.contains(r#"Budget":-1"#));
    assert!(!encode(&decode(&body), &target("gemini-3.8-flash")).0.contains("thinking"));
}

#[test]
fn what_gemini_cannot_say_is_dropped_and_named() {
    let plain = asking(r#""model":"m""#);
    let request = Request {
        seed: Some(1 << 40),
        temperature: Some(2.5),
        stop: ["a", "b", "c", "d", "e", "f"].map(Into::into).to_vec(),
        logprobs: Some(30),
        max_output_tokens: Some(100),
        end_user: Some("u".into()),
        metadata: Some("{}".into()),
        service_tier: Some("scale".into()),
        parallel_tool_calls: Some(false),
        tools: vec![
            Tool::Function(Function {
                name: "f".into(),
                strict: Some(true),
                ..Function::default()
            }),
            Tool::Hosted { kind: "web_search".into(), value: "{}".into() },
        ],
        extra: vec![crate::chat::Extra { name: "logit_bias".into(), value: "{}".into() }],
        ..decode(&plain)
    };
    let (body, dropped) =
        encode(&request, &Target { max_output_tokens: Some(50), ..target("gemini-2.5-pro") });
    assert_eq!(
        body,
        r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}],"generationConfig":{"temperature":2,"responseLogprobs":true,"logprobs":20,"maxOutputTokens":50,"stopSequences":["a","b","c","d","e"]}}"#
    );
    assert_eq!(
        dropped,
        [
            "tools[0].strict",
            "tools[1] (web_search)",
            "parallel_tool_calls",
            "temperature (clamped)",
            "seed",
            "logprobs (clamped)",
            "max_output_tokens (clamped)",
            "stop (clamped)",
            "logit_bias",
            "service_tier",
            "end_user",
            "metadata",
        ]
    );
}

#[test]
fn googles_own_tools_pass_beside_functions() {
    let tools = r#"[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object"}}]},{"googleSearch":{}},{"urlContext":{}}]"#;
    let (body, dropped) = passed(&asking(&format!(r#""tools":{tools}"#)));
    assert!(body.contains(&format!(r#""tools":{tools}"#)), "{body}");
    assert!(dropped.is_empty());
    let body = asking(r#""tools":[{"google_search":{"a":1},"code_execution":{}}]"#);
    let together = decode(&body).tools;
    let values: Vec<_> = together
        .iter()
        .map(|tool| match tool {
            Tool::Hosted { kind, value } => (&**kind, &**value),
            Tool::Function(_) => unreachable!(),
        })
        .collect();
    assert_eq!(
        values,
        [
            ("googleSearch", r#"{"google_search":{"a":1}}"#),
            ("codeExecution", r#"{"code_execution":{}}"#)
        ]
    );
}

#[test]
fn every_mode_of_calling_arrives() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned().into()).collect();
    for (config, choice) in [
        (r#"{"mode":"AUTO"}"#, Some(ToolChoice::Auto)),
        (r#"{"mode":"NONE"}"#, Some(ToolChoice::None)),
        (r#"{"mode":"ANY"}"#, Some(ToolChoice::Required)),
        (r#"{"mode":"VALIDATED"}"#, Some(ToolChoice::Auto)),
        (r#"{"mode":"ANY","allowedFunctionNames":["f"]}"#, Some(ToolChoice::Function("f".into()))),
        (
            r#"{"mode":"ANY","allowedFunctionNames":["f","g"]}"#,
            Some(ToolChoice::Allowed { names: names(&["f", "g"]), required: true }),
        ),
        (
            r#"{"mode":"VALIDATED","allowedFunctionNames":["f"]}"#,
            Some(ToolChoice::Allowed { names: names(&["f"]), required: false }),
        ),
    ] {
        let body = asking(&format!(
            r#""tools":[{{"functionDeclarations":[{{"name":"f"}}]}}],"toolConfig":{{"functionCallingConfig":{config}}}"#
        ));
        let request = decode(&body);
        assert_eq!(request.tool_choice, choice);
        let (written, _) = encode(&request, &target("m"));
        assert!(written.contains(&format!(r#"{{"functionCallingConfig":{config}}}"#)), "{written}");
    }
}

#[test]
fn a_schema_that_the_model_cannot_take_becomes_a_forced_call() {
    let output = Output::Schema(OutputSchema {
        schema: r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#.into(),
        ..OutputSchema::default()
    });
    let body = asking(r#""model":"m""#);
    let request = Request { output, ..decode(&body) };
    let plain = Target { original: false, native_schema: false, ..target("m") };
    let sent = GeminiGenerate.encode_request(&request, &plain, &mut Dropped::default()).unwrap();
    assert_eq!(sent.output_tool, Some("json_output"));
    let body = String::from_utf8(sent.body).unwrap();
    assert!(
        body.contains(r#""parameters":{"type":"OBJECT","properties":{"a":{"type":"INTEGER"}}}"#)
    );
    assert!(body.contains(r#"{"mode":"ANY","allowedFunctionNames":["json_output"]}"#));
    assert!(!body.contains("responseMimeType"));
}

#[test]
fn an_effort_of_another_dialect_is_told_in_the_models_own_way() {
    let reasoning = Reasoning { effort: Some(Effort::Medium), ..Reasoning::default() };
    let body = asking(r#""model":"m""#);
    let request = Request { reasoning: Some(reasoning), ..decode(&body) };
    assert!(encode(&request, &target("gemini-2.5-pro")).0.contains(r#""thinkingBudget":8192"#));
    assert!(encode(&request, &target("gemini-3.1-pro")).0.contains(r#""thinkingLevel":"MEDIUM""#));
    let plain = Target { reasoning: false, ..target("gemini-3.1-pro") };
    assert_eq!(encode(&request, &plain).1, ["reasoning"]);
}
