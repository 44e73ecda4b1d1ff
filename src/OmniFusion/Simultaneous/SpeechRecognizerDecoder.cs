using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// The thinker's own transcript of one segment of speech that is still arriving: the first stage of a cascade. It keeps what it computed as
/// <see cref="FusedSpeechDecoder"/> does; once the source is complete, the text is that of <see cref="OmniFusionModel.TranscribeAsync"/>.
/// </summary>
public sealed class SpeechRecognizerDecoder : SpeechDecoder
{
    private SpeechRecognizerDecoder(OmniFusionModel model, PartialDecoderOptions options)
        // No style has a prompt for speech that names the language.
        : base(model, Languages.Find(model.Bundle.Languages[0]), options, thinkerWrites: true)
    {
        Tokenizer = model.ThinkerTokenizer;
        Writing = model.Parts.Thinker;
        Writer = new GreedyWriter(Thinker.Run, model.EndOfTranscript, options.NoRepeatNgramSize ?? 0);
        Heads = options.Heads;
    }

    /// <inheritdoc/>
    public override Tokenizer Tokenizer { get; }

    private protected override ICausalModel Writing { get; }

    private protected override GreedyWriter Writer { get; }

    private protected override int[] Opening => Prompt.Tail;

    /// <summary>Begins a segment.</summary>
    /// <param name="model">Recognises.</param>
    /// <param name="options">How; null: the defaults.</param>
    /// <exception cref="OmniFusionException">The model has no such attention head.</exception>
    public static SpeechRecognizerDecoder Create(OmniFusionModel model, PartialDecoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new SpeechRecognizerDecoder(model, options ?? new PartialDecoderOptions());
    }

    private protected override void Restart() => Writer.Restart();

    private protected override void CheckLength(RequestReader reader, int kept, int maxNewTokens) =>
        reader.CheckThinkerLength(Thinker.Rows + Opening.Length + kept + maxNewTokens);

    private protected override WriterPrefix ReadSource(Compute c, int mostTokens, CancellationToken cancellation)
    {
        Tensor? changed = Thinker.Changed(c, out int first);
        return new WriterPrefix(Thinker.Rows, first, changed, Thinker.Ids);
    }
}
