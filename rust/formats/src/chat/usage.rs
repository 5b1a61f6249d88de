//! What a reply is charged for.

/// Tokens charged. All sums are OpenAI's: parts are contained in their whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens, cached ones included.
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input tokens written to it.
    pub cache_write: u64,
    /// Those of them that are to stay there for an hour.
    pub cache_write_1h: u64,
    /// Output tokens of thought.
    pub reasoning: u64,
    /// Input tokens of sound.
    pub audio_input: u64,
    /// Output tokens of sound.
    pub audio_output: u64,
    /// Input tokens of sound that were read from the cache: in `cache_read` and in `audio_input` too.
    pub audio_cached: u64,
    /// Input tokens of images, where the provider counts them apart.
    pub image_input: u64,
    /// Output tokens of images.
    pub image_output: u64,
    /// How it was served.
    pub service: Service,
}

impl Usage {
    /// Whether no token was used.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.input == 0 && self.output == 0
    }

    /// The same, if its sum is this. Some hosts of OpenAI's dialect, xAI's among them, tell thoughts beside
    /// the output and not within it, which only the sum shows.
    #[must_use]
    pub fn adding_up_to(self, total: Option<u64>) -> Self {
        let told = self.input.checked_add(self.output);
        let apart = told.and_then(|told| told.checked_add(self.reasoning));
        if self.reasoning > 0 && apart.is_some() && apart == total {
            return Usage { output: self.output.saturating_add(self.reasoning), ..self };
        }
        self
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Usage) -> Self {
        Usage {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            audio_input: self.audio_input.saturating_add(other.audio_input),
            audio_output: self.audio_output.saturating_add(other.audio_output),
            audio_cached: self.audio_cached.saturating_add(other.audio_cached),
            image_input: self.image_input.saturating_add(other.image_input),
            image_output: self.image_output.saturating_add(other.image_output),
            service: self.service,
        }
    }

    /// The same, served as Anthropic says where that costs more than any price list tells: faster, in one
    /// country, with searches that are charged by the piece.
    #[must_use]
    pub fn with_surcharges(
        self,
        speed: Option<&str>,
        place: Option<&str>,
        searches: Option<u64>,
    ) -> Self {
        let is_fast = speed.is_some_and(|speed| speed != "standard");
        let is_bound = place.is_some_and(|place| !matches!(place, "global" | "not_available" | ""));
        let has_searched = searches.is_some_and(|count| count > 0);
        if is_fast || is_bound || has_searched {
            return Usage { service: Service::Other, ..self };
        }
        self
    }

    /// The same, served as the provider's word says.
    #[must_use]
    pub fn served_by(self, word: Option<&str>) -> Self {
        Usage { service: word.map_or(self.service, Service::named), ..self }
    }
}

/// How a request was served, where that changes its price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Service {
    /// As usual.
    #[default]
    Standard,
    /// Some time within a day.
    Batch,
    /// When there is room.
    Flex,
    /// Before others.
    Priority,
    /// In a way that is not known here.
    Other,
}

impl Service {
    /// By the word of any provider: OpenAI's `default` and Groq's `on_demand` are the `standard` of others.
    #[must_use]
    pub fn named(word: &str) -> Self {
        match word {
            "default" | "standard" | "on_demand" | "auto" | "" => Service::Standard,
            "batch" => Service::Batch,
            "flex" => Service::Flex,
            "priority" => Service::Priority,
            _ => Service::Other,
        }
    }
}
