#![allow(clippy::unwrap_used)]
use super::*;
use crate::format::Dropped;

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

fn to_gemini(body: &str, method: Method) -> (String, Vec<String>) {
    let request = decode_openai_request(body).unwrap();
    let mut dropped = Dropped::default();
    let body = encode_gemini_request(&request, "e-1", method, &mut dropped).unwrap();
    (text(body), dropped.names().iter().map(ToString::to_string).collect())
}

#[test]
fn openais_request_becomes_each_of_googles() {
    let several =
        r#"{"model":"m","input":["a","b"],"dimensions":8,"user":"u","encoding_format":"base64"}"#;
    let one = r#"{"model":"m","input":"a","dimensions":8,"task_type":"RETRIEVAL_QUERY"}"#;
    for (body, method, expected, notes) in [
        (
            several,
            Method::BatchEmbedContents,
            r#"{"requests":[{"model":"models/e-1","content":{"parts":[{"text":"a"}]},"outputDimensionality":8},{"model":"models/e-1","content":{"parts":[{"text":"b"}]},"outputDimensionality":8}]}"#,
            &["end_user"][..],
        ),
        (
            several,
            Method::Predict,
            r#"{"instances":[{"content":"a"},{"content":"b"}],"parameters":{"outputDimensionality":8}}"#,
            &["end_user"],
        ),
        (
            one,
            Method::EmbedContent,
            r#"{"model":"models/e-1","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":8}"#,
            &[],
        ),
        (
            one,
            Method::VertexEmbedContent,
            r#"{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{"taskType":"RETRIEVAL_QUERY","outputDimensionality":8}}"#,
            &[],
        ),
        (
            several,
            Method::VertexBatchEmbedContents,
            r#"{"requests":[{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{"outputDimensionality":8}},{"content":{"parts":[{"text":"b"}]},"embedContentConfig":{"outputDimensionality":8}}]}"#,
            &["end_user"],
        ),
    ] {
        let (found, dropped) = to_gemini(body, method);
        assert_eq!(
            (&*found, &dropped[..]),
            (expected, &notes.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
        );
    }
}

#[test]
fn each_of_googles_requests_becomes_openais() {
    for (body, method) in [
        (
            r#"{"requests":[{"model":"models/x","content":{"parts":[{"text":"a"}]},"outputDimensionality":8},{"content":{"parts":[{"text":"b"},{"text":"c"}]},"task_type":"T"}]}"#,
            Method::BatchEmbedContents,
        ),
        (
            r#"{"instances":[{"content":"a","task_type":"T"},{"content":"b\nc"}],"parameters":{"outputDimensionality":"8"}}"#,
            Method::Predict,
        ),
    ] {
        let request = decode_gemini_request(body, "m", method).unwrap();
        let mut dropped = Dropped::default();
        assert_eq!(
            text(encode_openai_request(&request, "e", &mut dropped)),
            r#"{"model":"e","input":["a","b\nc"],"dimensions":8,"encoding_format":"float"}"#
        );
        assert_eq!(dropped.names(), ["taskType"]);
    }
    let one = r#"{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{"autoTruncate":true,"title":"t"}}"#;
    let request = decode_gemini_request(one, "m", Method::VertexEmbedContent).unwrap();
    assert_eq!((request.truncate, request.title.as_deref()), (Some(true), Some("t")));
}

#[test]
fn what_cannot_be_embedded_is_named() {
    for (body, param, unsupported) in [
        ("{}", "input", false),
        (r#"{"input":[]}"#, "input", false),
        (r#"{"input":[1,2]}"#, "input", true),
        (r#"{"input":[[1],[2]]}"#, "input", true),
        (r#"{"input":["a",null]}"#, "input", false),
        (r#"{"input":"a","encoding_format":"int8"}"#, "encoding_format", false),
        (r#"{"input":"a","dimensions":"x"}"#, "dimensions", false),
    ] {
        let fault = decode_openai_request(body).unwrap_err();
        assert_eq!(
            (fault.param.as_deref(), fault.unsupported),
            (Some(param), unsupported),
            "{body}"
        );
    }
    for (body, method, param) in [
        ("{}", Method::EmbedContent, Some("content")),
        ("{}", Method::BatchEmbedContents, Some("requests")),
        (r#"{"requests":[{}]}"#, Method::BatchEmbedContents, Some("requests[0].content")),
        (r#"{"instances":[{"content":1}]}"#, Method::Predict, Some("instances[0].content")),
        (r#"{"instances":[]}"#, Method::Predict, None),
        (r#"{"content":{"parts":[{"inlineData":{}}]}}"#, Method::EmbedContent, Some("content")),
        (r#"{"content":{}}"#, Method::EmbedContent, Some("content")),
    ] {
        let fault = decode_gemini_request(body, "m", method).unwrap_err();
        assert_eq!(fault.param.as_deref(), param, "{body}");
    }
    let request = decode_openai_request(r#"{"input":["a","b"]}"#).unwrap();
    let mut dropped = Dropped::default();
    assert!(encode_gemini_request(&request, "e", Method::EmbedContent, &mut dropped).is_err());
}

#[test]
fn each_of_googles_replies_becomes_openais() {
    let request = EmbedRequest { model: "m".into(), ..EmbedRequest::default() };
    for (body, vectors, tokens) in [
        (r#"{"embedding":{"values":[0.5]}}"#, "[0.5]", 0),
        (r#"{"embedding":{"values":[0.5]},"usageMetadata":{"promptTokenCount":3}}"#, "[0.5]", 3),
        (r#"{"embeddings":[{"values":[0.5]}]}"#, "[0.5]", 0),
        (
            r#"{"predictions":[{"embeddings":{"values":[0.5],"statistics":{"token_count":4.0,"truncated":false}}}]}"#,
            "[0.5]",
            4,
        ),
    ] {
        let reply = decode_gemini_reply(body).unwrap();
        let expected = format!(
            r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":{vectors}}}],"model":"m","usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}"#
        );
        assert_eq!(text(encode_openai_reply(&reply, &request)), expected);
    }
    for nonsense in ["{}", "[]", r#"{"embeddings":[{}]}"#, r#"{"embedding":{"values":1}}"#] {
        assert!(decode_gemini_reply(nonsense).is_err(), "{nonsense}");
    }
}

#[test]
fn openais_reply_becomes_each_of_googles() {
    let body = r#"{"object":"list","data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1.5,-0.25]}],"model":"x","usage":{"prompt_tokens":5,"total_tokens":5}}"#;
    let reply = decode_openai_reply(body).unwrap();
    for (method, expected) in [
        (
            Method::EmbedContent,
            r#"{"embedding":{"values":[1.5,-0.25]},"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}"#,
        ),
        (
            Method::BatchEmbedContents,
            r#"{"embeddings":[{"values":[1.5,-0.25]},{"values":[2]}],"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}"#,
        ),
        (
            Method::Predict,
            r#"{"predictions":[{"embeddings":{"values":[1.5,-0.25],"statistics":{"truncated":false,"token_count":5}}},{"embeddings":{"values":[2],"statistics":{"truncated":false,"token_count":0}}}]}"#,
        ),
    ] {
        let found = text(encode_gemini_reply(&reply, method));
        assert_eq!(found, expected);
        let again = decode_gemini_reply(&found).unwrap();
        assert_eq!((again.input_tokens, &again.vectors[0]), (Some(5), &reply.vectors[0]));
    }
}

#[test]
fn vectors_pass_as_base64_in_both_directions() {
    let reply = Embeddings { vectors: vec!["[1.5,-0.1,1e-8]".into()], ..Embeddings::default() };
    let request = EmbedRequest { base64: true, ..EmbedRequest::default() };
    let written = text(encode_openai_reply(&reply, &request));
    assert!(written.contains(r#""embedding":"AADAP83MzL13zCsy""#), "{written}");
    let again = decode_openai_reply(&written).unwrap();
    assert_eq!(again.vectors, ["[1.5,-0.1,0.00000001]"]);
    assert!(decode_openai_reply(r#"{"data":[{"embedding":"AAA="}]}"#).is_err());
    assert!(decode_openai_reply(r#"{"data":[{"embedding":"?"}]}"#).is_err());
}
