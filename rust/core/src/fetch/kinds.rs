//! What is fetched: kinds of media, the names they go by, and the first bytes that tell them.

/// A kind of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A picture.
    Image,
    /// A document.
    Document,
    /// A recording.
    Audio,
}

/// Names that servers give to what they know nothing of.
const NAMELESS: [&str; 3] =
    ["application/octet-stream", "binary/octet-stream", "application/x-download"];

impl Kind {
    /// What the client is told of something that is not of this kind.
    #[must_use]
    pub fn wanted(self) -> &'static str {
        match self {
            Kind::Image => "it is not a picture in PNG, JPEG, GIF or WebP",
            Kind::Document => "it is not a PDF document",
            Kind::Audio => {
                "it is not a recording that is known (MP3, WAV, FLAC, Ogg, AAC, MP4, WebM)"
            }
        }
    }

    /// Whether a server may call it so. What it is, its first bytes tell.
    pub(super) fn may_be_called(self, content_type: Option<&str>) -> bool {
        let Some(name) = content_type else { return true };
        let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let own = match self {
            Kind::Image => name.starts_with("image/"),
            Kind::Document => matches!(&name[..], "application/pdf" | "application/x-pdf"),
            Kind::Audio => name.starts_with("audio/") || name == "application/ogg",
        };
        own || NAMELESS.contains(&&name[..])
    }

    /// The media type that the first bytes tell, if it is of this kind.
    pub(super) fn told_by(self, head: &[u8]) -> Option<&'static str> {
        match self {
            Kind::Image => image(head),
            Kind::Document => head.starts_with(b"%PDF-").then_some("application/pdf"),
            Kind::Audio => audio(head),
        }
    }
}

fn image(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn audio(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("audio/wav"),
        [b'f', b'L', b'a', b'C', ..] => Some("audio/flac"),
        [b'O', b'g', b'g', b'S', ..] => Some("audio/ogg"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("audio/mp4"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("audio/webm"),
        [b'I', b'D', b'3', ..] => Some("audio/mpeg"),
        // Frames of MPEG begin with eleven ones; the layer's two bits are zero in AAC's.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some("audio/aac"),
        [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0 => Some("audio/mpeg"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Kind; 3] = [Kind::Image, Kind::Document, Kind::Audio];

    fn told(head: &[u8]) -> Vec<(Kind, &'static str)> {
        ALL.iter().filter_map(|kind| Some((*kind, kind.told_by(head)?))).collect()
    }

    #[test]
    fn first_bytes_tell_what_it_is() {
        for (head, kind, media_type) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], Kind::Image, "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Kind::Image, "image/jpeg"),
            (b"GIF89a\x01\0\x01\0", Kind::Image, "image/gif"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Kind::Image, "image/webp"),
            (b"%PDF-1.7\n", Kind::Document, "application/pdf"),
            (b"RIFF\x24\0\0\0WAVEfmt ", Kind::Audio, "audio/wav"),
            (b"fLaC\0\0\0\x22", Kind::Audio, "audio/flac"),
            (b"OggS\0\x02", Kind::Audio, "audio/ogg"),
            (b"\0\0\0\x20ftypM4A ", Kind::Audio, "audio/mp4"),
            (b"\x1a\x45\xdf\xa3\x9f", Kind::Audio, "audio/webm"),
            (b"ID3\x04\0", Kind::Audio, "audio/mpeg"),
            (b"\xff\xfb\x90\x64", Kind::Audio, "audio/mpeg"),
            (b"\xff\xf1\x50\x80", Kind::Audio, "audio/aac"),
        ] {
            assert_eq!(told(head), [(kind, media_type)], "{head:?}");
        }
    }

    #[test]
    fn texts_are_of_no_kind() {
        for head in [&b""[..], b"<html>", b"{\"a\":1}", b"root:x:0:0", b"<svg xmlns=", b"RIFF"] {
            assert_eq!(told(head), [], "{head:?}");
        }
    }

    #[test]
    fn servers_may_call_it_by_its_kind_or_by_no_name() {
        for name in [None, Some("Image/JPG; charset=binary"), Some("binary/octet-stream")] {
            assert!(Kind::Image.may_be_called(name), "{name:?}");
        }
        for name in ["text/html", "application/json", "application/pdf", ""] {
            assert!(!Kind::Image.may_be_called(Some(name)), "{name}");
        }
    }
}
