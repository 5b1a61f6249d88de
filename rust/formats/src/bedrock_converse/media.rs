//! Pictures, documents, videos and sounds: their formats and where they are.

use crate::base64;
use crate::chat::{Block, Source};
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// How the address of an object in S3 begins.
pub(super) const S3: &str = "s3://";

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    Image,
    Document,
    Video,
    Audio,
}

/// Media types and Converse's formats. Of several media types of a format the first is read.
type Formats = &'static [(&'static str, &'static str)];

const IMAGES: Formats = &[
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
];

const DOCUMENTS: Formats = &[
    ("application/pdf", "pdf"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/html", "html"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
];

const VIDEOS: Formats = &[
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/x-matroska", "mkv"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/mpeg", "mpg"),
    ("video/x-ms-wmv", "wmv"),
    ("video/3gpp", "three_gp"),
];

const SOUNDS: Formats = &[
    ("audio/mpeg", "mp3"),
    ("audio/mp3", "mp3"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/opus", "opus"),
    ("audio/aac", "aac"),
    ("audio/aac", "x-aac"),
    ("audio/flac", "flac"),
    ("audio/ogg", "ogg"),
    ("audio/mp4", "mp4"),
    ("audio/m4a", "m4a"),
    ("audio/x-m4a", "m4a"),
    ("audio/webm", "webm"),
    ("audio/x-matroska", "mka"),
    ("audio/pcm", "pcm"),
];

impl Media {
    /// The thing that a member of a content block holds.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Media::Image, Media::Document, Media::Video, Media::Audio];
        all.into_iter().find(|media| media.name() == name)
    }

    /// The member that holds it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Media::Image => "image",
            Media::Document => "document",
            Media::Video => "video",
            Media::Audio => "audio",
        }
    }

    fn formats(self) -> Formats {
        match self {
            Media::Image => IMAGES,
            Media::Document => DOCUMENTS,
            Media::Video => VIDEOS,
            Media::Audio => SOUNDS,
        }
    }

    fn format_of(self, media_type: &str) -> Option<&'static str> {
        let plain = media_type.split(';').next().unwrap_or_default().trim();
        let known = self.formats().iter().find(|(name, _)| name.eq_ignore_ascii_case(plain));
        let is_text = || self == Media::Document && plain.starts_with("text/");
        known.map(|(_, format)| *format).or_else(|| is_text().then_some("txt"))
    }

    pub(super) fn media_type_of(self, format: &str) -> Option<&'static str> {
        self.formats().iter().find(|(_, name)| *name == format).map(|(media_type, _)| *media_type)
    }

    /// The format of a file of that name.
    fn format_of_file(self, name: &str) -> Option<&'static str> {
        let ending = match name.rsplit_once('.')?.1 {
            "jpg" => "jpeg",
            "3gp" => "three_gp",
            other => other,
        };
        self.formats().iter().find(|(_, format)| *format == ending).map(|(_, format)| *format)
    }

    /// How Converse is told of it; `None` if it cannot be.
    pub(super) fn place<'s>(self, source: &'s Source<'_>) -> Option<Place<'s>> {
        match source {
            Source::Base64 { media_type, data } => {
                Some(Place { format: self.format_of(media_type)?, at: At::Bytes(data) })
            }
            Source::Url { url, media_type } if url.starts_with(S3) => {
                let told = media_type.as_deref().and_then(|told| self.format_of(told));
                let format = told.or_else(|| self.format_of_file(url))?;
                Some(Place { format, at: At::S3(url) })
            }
            Source::Text(text) if self == Media::Document => {
                Some(Place { format: "txt", at: At::Text(text) })
            }
            _ => None,
        }
    }
}

/// A thing that Converse can be given.
pub(super) struct Place<'s> {
    format: &'static str,
    at: At<'s>,
}

enum At<'s> {
    Bytes(&'s str),
    S3(&'s str),
    Text(&'s str),
}

impl Place<'_> {
    /// Writes `format` and `source`. Plain text that may be cited stays text; otherwise it is a file, as
    /// every model with documents takes it.
    pub(super) fn write(&self, w: &mut Writer, cited: bool) {
        w.text("format", self.format).key("source").object(|w| match self.at {
            At::Bytes(data) => {
                w.text("bytes", data);
            }
            At::S3(uri) => w.key("s3Location").object(|w| {
                w.text("uri", uri);
            }),
            At::Text(text) if cited => {
                w.text("text", text);
            }
            At::Text(text) => {
                w.text("bytes", &base64::encode(text.as_bytes()));
            }
        });
    }
}

/// The thing in a content block; `None` for what only Converse knows (owners of buckets, chunks).
pub(super) fn block_in<'a>(media: Media, value: &Value<'a>) -> Option<Block<'a>> {
    let format = value.get("format").and_then(Value::as_str).unwrap_or_default();
    let media_type = media.media_type_of(format);
    let given = value.get("source")?;
    let bytes = given.get("bytes").and_then(Value::text);
    let source = match (bytes, given.get("s3Location"), given.get("text")) {
        (Some(data), _, _) => Source::Base64 { media_type: media_type?.into(), data },
        (_, Some(place), _) if place.get("bucketOwner").is_none() => Source::Url {
            url: place.get("uri")?.text()?,
            media_type: media_type.map(Cow::Borrowed),
        },
        (_, _, Some(text)) if media == Media::Document => Source::Text(text.text()?),
        _ => return None,
    };
    Some(match media {
        Media::Image => Block::image(source),
        Media::Video => Block::Video { source },
        Media::Audio => Block::audio(source),
        Media::Document => {
            let citations = value.get("citations").and_then(|one| one.get("enabled"));
            Block::Document {
                source,
                title: value.get("name").and_then(Value::text),
                context: value.get("context").and_then(Value::text),
                citations: citations.and_then(Value::as_bool).unwrap_or(false),
                cache: None,
            }
        }
    })
}
