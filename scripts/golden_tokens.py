"""Write the golden token counts of `tests/boundary/golden_tokens.json`, asking tiktoken.

TIKTOKEN_CACHE_DIR=… python scripts/golden_tokens.py
"""

from __future__ import annotations

import json
from pathlib import Path

import tiktoken

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "boundary" / "golden_tokens.json"

TEXTS = [
    "",
    " ",
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog.",
    "It's what we've always said: they'll see, I'm sure. DON'T! He'S 'tis rock'n'roll",
    "a'ſb 'ſ ſ's",
    "HTTPServer parseXMLDocument iPhone eBay McDonald's camelCase SCREAMING_SNAKE kebab-case",
    "Supercalifragilisticexpialidocious antidisestablishmentarianism pneumonoultramicroscopic",
    "Die Donaudampfschifffahrtsgesellschaft übernahm die Straßenreinigung größtenteils.",
    "L'été dernier, j'ai mangé une crème brûlée à l'hôtel où naquit l'œuvre.",
    "El niño comió piñas y dijo: ¿qué tal? ¡Olé!",
    "Zażółć gęślą jaźń. Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Pijamalı hasta yağız şoföre çabucak güvendi. İSTANBUL ıssız",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Жебракують філософи при ґанку церкви в Гадячі, ще й шатро їхнє п'яне знаємо.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΑΒΓ Ωμέγα",
    "דג סקרן שט בים מאוכזב ולפתע מצא לו חברה",
    "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق",
    "هَذَا نَصٌّ مُشَكَّلٌ",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है।",
    "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা নিয়ে জন্মগ্রহণ করে।",
    "மனிதப் பிறவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்",
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน",
    "ყველა ადამიანი იბადება თავისუფალი და თანასწორი",
    "Բոլոր մարդիկ ծնվում են ազատ ու հավասար",
    "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心。",
    "人人生而自由，在尊嚴和權利上一律平等。",
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。ﾊﾝｶｸ",
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi.",
    "Ọmọ ènìyàn ni a bí ní òmìnira",
    "e\u0301 n\u0303 a\u0308\u0323 \u0301 \u0301\u0301ABC x\u0301Y \u0301",
    "AB日CD ʰA ǅungla Ⅷ Ⓐ ª º ﬁne",
    "😀 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 ❤️ ✨✨✨ 🫠",
    "0 1 12 123 1234 12345 1234567890 3.14159 1,000,000 0xDEADBEEF 1e-9 2026-11-23T12:00:00Z",
    "٠١٢٣٤٥٦٧٨٩ ०१२३ ½ ² ⅷ ⑨ 一二三",
    "def f(x: int) -> int:\n    if x > 0:\n        return x * f(x - 1)\n\n    return 1\n",
    "fn main() {\r\n\tlet v: Vec<u8> = vec![0; 16];\r\n\tprintln!(\"{:?}\", &v[..]);\r\n}\r\n",
    '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true,"n":null}',
    "SELECT a.id, COUNT(*) FROM t AS a LEFT JOIN u ON a.id=u.id WHERE u.x IS NOT NULL GROUP BY 1;",
    "<div class=\"a b\"><a href='https://example.com/x?y=1&z=%20#f'>link</a><!-- c --></div>",
    "// comment\n//\n/* x */\n/\n///\n\n//// end",
    "#!/bin/sh\nset -eu\nfor f in *.txt; do echo \"$f\" | sed 's/a/b/g' >> /tmp/out; done\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n**bold** _it_ `code`\n\n- [x] done\n",
    "<|endoftext|><|im_start|>system<|im_end|><|fim_prefix|>",
    "a  b   c    d     e",
    "\n", "\n\n", "\n\n\n\n", "\r\n\r\n", " \n", "\n ", " \n \n ", "\t\tx", "x\t\t", "   ",
    "x\n\n   ", "x  \r\n  \n   y", "a \u00a0b\u3000c\u2028d\u2029e\u0085f\u200bg\ufeffh",
    "\u0000\u0001\u0002\u007f\u0080\u009f",
    "\ud7ff\ue000\ufffd\uffff\U00010000\U0010ffff",
    "!!!???...---===***///\\\\\\((([[[{{{}}}]]])))",
    "https://user:pw@example.org:8080/path/to/file.tar.gz?query=string&other=1#frag",
    "QWxhZGRpbjpvcGVuIHNlc2FtZQ== 550e8400-e29b-41d4-a716-446655440000",
    "d41d8cd98f00b204e9800998ecf8427e sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
    "GATTACAGATTACAGATTACA acgtacgtacgtacgtnnnn",
]  # fmt: skip

# A unit and how often: long runs, kept short in the file.
RUNS = [
    ("a", 64), ("a", 65), ("a", 128), ("a", 129), ("a", 5000), ("ab", 700), ("A", 1000), ("é", 300),
    ("日", 400), ("日本語", 300), ("я", 500), ("😀", 200), (" ", 500), ("\n", 300), ("\t", 200),
    ("-", 300), ("=", 1000), ("1", 999), ("0123456789", 50), ("!?", 300), ("\u0301", 200),
    ("Lorem ipsum dolor sit amet. ", 40), ("x ", 500), (" \n", 200), ("कि", 200), ("ก", 300),
]  # fmt: skip


def main() -> None:
    """Count every text with both vocabularies and write them down."""
    o200k = tiktoken.get_encoding("o200k_base")
    cl100k = tiktoken.get_encoding("cl100k_base")
    rows = [
        {
            "text": text,
            "times": times,
            "o200k": len(o200k.encode_ordinary(text * times)),
            "cl100k": len(cl100k.encode_ordinary(text * times)),
        }
        for text, times in [*((text, 1) for text in TEXTS), *RUNS]
    ]
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    GOLDEN.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
