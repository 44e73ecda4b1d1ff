using OmniFusion.Checkpoints;
using OmniFusion.Models.Mistral;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class MistralModelTests
{
    [Fact]
    public void An_update_of_a_table_is_not_left_out_without_a_word()
    {
        MistralConfig config = TinyModels.TranslatorConfig;
        const string Table = "base_model.model.model.embed_tokens.lora_embedding_";
        PeftAdapter adapter = PeftAdapter.Of(new PeftConfig { Rank = 2 },
        [
            (Table + "A", Tensor.Zeros(new Shape(2, config.VocabSize))), (Table + "B", Tensor.Zeros(new Shape(config.HiddenSize, 2))),
        ]);
        Weights stored = new(Checkpoint.Open(Golden.Tiny("translator")));
        Assert.Contains("'model.embed_tokens.weight'",
            Assert.Throws<OmniFusionException>(() => new MistralModel(config, stored.Beside(adapter.Translator))).Message);
        Assert.Equal(config.VocabSize, new MistralModel(config, stored.With(adapter.Translator)).VocabularySize);
    }
}
