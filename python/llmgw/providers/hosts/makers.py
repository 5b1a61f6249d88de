"""Those who make models and serve them."""

from llmgw.model import Operation
from llmgw.providers.compatible import CHAT, CHAT_EMBEDDINGS, CHAT_RESPONSES, Compatible

MAKERS: tuple[Compatible, ...] = (
    Compatible(
        name="ai21",
        aliases=("ai21_chat",),
        base_url="https://api.ai21.com/studio/v1",
        base_variables=("AI21_API_BASE",),
        key_variables=("AI21_API_KEY",),
    ),
    Compatible(
        name="amazon_nova",
        base_url="https://api.nova.amazon.com/v1",
        base_variables=("AMAZON_NOVA_API_BASE",),
        key_variables=("AMAZON_NOVA_API_KEY", "NOVA_API_KEY"),
    ),
    Compatible(
        name="baichuan",
        base_url="https://api.baichuan-ai.com/v1",
        key_variables=("BAICHUAN_API_KEY",),
    ),
    Compatible(
        name="bigmodel",  # Zhipu's mainland address
        aliases=("zhipuai",),
        base_url="https://open.bigmodel.cn/api/paas/v4",
        base_variables=("BIGMODEL_API_BASE",),
        key_variables=("BIGMODEL_API_KEY", "ZHIPUAI_API_KEY"),
        operations=CHAT_EMBEDDINGS,
        default_path="/api/paas/v4",
    ),
    Compatible(
        name="codestral",
        base_url="https://codestral.mistral.ai/v1",
        base_variables=("CODESTRAL_API_BASE",),
        key_variables=("CODESTRAL_API_KEY",),
        stream_usage=False,  # as Mistral
    ),
    Compatible(
        name="cognition",
        base_url="https://api.cognition.ai/v1",
        base_variables=("COGNITION_API_BASE",),
        key_variables=("COGNITION_API_KEY",),
    ),
    Compatible(
        name="dashscope",
        aliases=("qwencloud",),
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        base_variables=("DASHSCOPE_API_BASE",),
        key_variables=("DASHSCOPE_API_KEY", "QWENCLOUD_API_KEY"),
        operations=CHAT_EMBEDDINGS,
        typical_model="qwen",
    ),
    Compatible(
        name="deepseek",
        base_url="https://api.deepseek.com/v1",
        key_variables=("DEEPSEEK_API_KEY",),
        typical_model="deepseek-chat",
    ),
    Compatible(
        name="hunyuan",
        base_url="https://api.hunyuan.cloud.tencent.com/v1",
        key_variables=("HUNYUAN_API_KEY",),
        operations=CHAT_EMBEDDINGS,
    ),
    Compatible(
        name="inception",
        base_url="https://api.inceptionlabs.ai/v1",
        base_variables=("INCEPTION_API_BASE",),
        key_variables=("INCEPTION_API_KEY",),
    ),
    Compatible(
        name="jina_ai",
        base_url="https://api.jina.ai/v1",
        base_variables=("JINA_AI_API_BASE",),
        key_variables=("JINA_AI_API_KEY", "JINA_API_KEY"),
        operations=frozenset({Operation.EMBEDDINGS, Operation.RERANK}),
    ),
    Compatible(
        name="longcat",
        base_url="https://api.longcat.chat/openai/v1",
        key_variables=("LONGCAT_API_KEY",),
    ),
    Compatible(
        name="maritalk",
        aliases=("maritaca",),
        base_url="https://chat.maritaca.ai/api",
        key_variables=("MARITALK_API_KEY",),
    ),
    Compatible(
        name="meta",
        base_url="https://api.meta.ai/v1",
        base_variables=("META_API_BASE",),
        key_variables=("META_API_KEY",),
        operations=CHAT_RESPONSES,
        typical_model="llama-4",
    ),
    Compatible(
        name="meta_llama",
        base_url="https://api.llama.com/compat/v1",
        base_variables=("LLAMA_API_BASE",),
        key_variables=("LLAMA_API_KEY",),
        typical_model="llama-4",
    ),
    Compatible(
        name="minimax",
        base_url="https://api.minimax.io/v1",
        base_variables=("MINIMAX_API_BASE",),
        key_variables=("MINIMAX_API_KEY",),
    ),
    Compatible(
        name="mistral",
        base_url="https://api.mistral.ai/v1",
        key_variables=("MISTRAL_API_KEY",),
        operations=CHAT_EMBEDDINGS | {Operation.MODERATIONS, Operation.AUDIO_TRANSCRIPTIONS, Operation.FILES},
        stream_usage=False,  # sends usage unasked, and refuses unknown fields
        typical_model="mistral-large",
    ),
    Compatible(
        name="moonshot",
        base_url="https://api.moonshot.ai/v1",
        base_variables=("MOONSHOT_API_BASE",),
        key_variables=("MOONSHOT_API_KEY",),
    ),
    Compatible(
        name="morph",
        base_url="https://api.morphllm.com/v1",
        base_variables=("MORPH_API_BASE",),
        key_variables=("MORPH_API_KEY",),
    ),
    Compatible(
        name="perplexity",
        base_url="https://api.perplexity.ai",
        key_variables=("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
        stream_usage=False,  # sends usage unasked
    ),
    Compatible(
        name="qianfan",
        base_url="https://qianfan.baidubce.com/v2",
        key_variables=("QIANFAN_API_KEY",),
        operations=CHAT_EMBEDDINGS,
    ),
    Compatible(
        name="qwen_ai_platform",  # DashScope's mainland address
        base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
        base_variables=("QWEN_AI_PLATFORM_API_BASE",),
        key_variables=("QWEN_AI_PLATFORM_API_KEY",),
        operations=CHAT_EMBEDDINGS,
        typical_model="qwen",
    ),
    Compatible(
        name="reka",
        base_url="https://api.reka.ai/v1",
        base_variables=("REKA_API_BASE",),
        key_variables=("REKA_API_KEY",),
    ),
    Compatible(
        name="sarvam",
        base_url="https://api.sarvam.ai/v1",
        key_variables=("SARVAM_API_KEY",),
    ),
    Compatible(
        name="stepfun",
        base_url="https://api.stepfun.com/v1",
        key_variables=("STEPFUN_API_KEY",),
    ),
    Compatible(
        name="tencent",
        base_url="https://tokenhub-intl.tencentcloudmaas.com/v1",
        base_variables=("TENCENT_API_BASE",),
        key_variables=("TENCENT_API_KEY",),
    ),
    Compatible(
        name="upstage",
        base_url="https://api.upstage.ai/v1",
        key_variables=("UPSTAGE_API_KEY",),
        operations=CHAT_EMBEDDINGS,
    ),
    Compatible(
        name="v0",
        base_url="https://api.v0.dev/v1",
        base_variables=("V0_API_BASE",),
        key_variables=("V0_API_KEY",),
    ),
    Compatible(
        name="volcengine",
        base_url="https://ark.cn-beijing.volces.com/api/v3",
        base_variables=("VOLCENGINE_API_BASE", "ARK_API_BASE"),
        key_variables=("VOLCENGINE_API_KEY", "ARK_API_KEY"),
        operations=CHAT_EMBEDDINGS | {Operation.RESPONSES},
    ),
    Compatible(
        name="xai",
        base_url="https://api.x.ai/v1",
        key_variables=("XAI_API_KEY",),
        operations=CHAT | {Operation.COMPLETIONS, Operation.RESPONSES, Operation.IMAGES_GENERATIONS},
    ),
    Compatible(
        name="xiaomi_mimo",
        base_url="https://api.xiaomimimo.com/v1",
        key_variables=("XIAOMI_MIMO_API_KEY", "XIAOMI_API_KEY"),
    ),
    Compatible(
        name="yi",
        aliases=("zeroone",),
        base_url="https://api.lingyiwanwu.com/v1",
        key_variables=("YI_API_KEY",),
    ),
    Compatible(
        name="zai",
        base_url="https://api.z.ai/api/paas/v4",
        base_variables=("ZAI_API_BASE",),
        key_variables=("ZAI_API_KEY",),
    ),
)
"""By name."""
