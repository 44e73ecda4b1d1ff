using System.Diagnostics;
using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// The fused system over one segment of speech that is still arriving: audio tower, thinker, fusion and translator each compute only what
/// is new. The translation is greedy and, once the source is complete, that of <see cref="OmniFusionModel.TranslateAsync"/> with one beam.
/// Many decoders may work on one model, each on a thread of its own.
/// </summary>
public sealed class FusedSpeechDecoder : SpeechDecoder
{
    private readonly FusedTranslator _parts;
    private readonly CausalRun _translator;
    private readonly GreedyWriter _writer;
    private readonly int[] _selected;
    private readonly Tensor[] _states;

    private FusedSpeechDecoder(OmniFusionModel model, Language language, PartialDecoderOptions options)
        : base(model, language, options, transcribes: false)
    {
        _parts = model.Parts;
        Tokenizer = model.TranslatorTokenizer;
        _translator = new CausalRun(_parts.Translator, Memory.TranslatorCache, axes: 1);
        _writer = new GreedyWriter(
            _translator, model.EndOfTranslation, options.NoRepeatNgramSize ?? model.Bundle.Generation.NoRepeatNgramSize);
        _selected = _parts.Fusion.Selected(_parts.Thinker.Layers);
        _states = new Tensor[_selected.Length];
        Heads = options.Heads;
    }

    /// <inheritdoc/>
    public override Tokenizer Tokenizer { get; }

    /// <summary>The translator's sequence.</summary>
    internal CausalRun Translator => _translator;

    private protected override ICausalModel Writing => _parts.Translator;

    /// <summary>Begins a segment.</summary>
    /// <param name="model">Translates.</param>
    /// <param name="targetLanguage">Code or English name of the language to translate into.</param>
    /// <param name="options">How; null: the defaults.</param>
    /// <exception cref="OmniFusionException">The model does not know the language, or has no such attention head.</exception>
    public static FusedSpeechDecoder Create(OmniFusionModel model, string targetLanguage, PartialDecoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new FusedSpeechDecoder(model, model.Reader.Target(targetLanguage), options ?? new PartialDecoderOptions());
    }

    private protected override void Restart()
    {
        _translator.Truncate(0);
        _writer.Restart();
    }

    private protected override Hypothesis Continue(Compute c, IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        int rows = Thinker.Rows + Prompt.Tail.Length;
        Tensor? changed = Thinker.Changed(c, out int first);
        if (changed is not null)
            changed = Fuse(c, RowBuffer.Stack(c, changed, _parts.Thinker.EmbedTokens(c, Prompt.Tail)), first);
        double thinker = Stopwatch.GetElapsedTime(started).TotalSeconds;
        int[] history = [.. Thinker.Ids, .. Prompt.Tail];
        try
        {
            return _writer.Write(c, new WriterPrefix(rows, first, changed, history), Prompt.Tower, kept, maxNewTokens,
                new WriterView(Probe, Thinker.HeadRows, SourcePositions), cancellation);
        }
        finally
        {
            Thinker.Accept();
            Spent = Spent with { Thinker = Spent.Thinker + thinker, Read = _writer.ReadSeconds, Write = _writer.WriteSeconds };
        }
    }

    private Tensor Fuse(Compute c, Tensor embeddings, int first)
    {
        Thinker.Run.Truncate(first);
        Thinker.Run.Append(c, embeddings, probe: null, _selected, _states);
        return _parts.Projection.Forward(c, _parts.Fusion.Forward(c, _states).States);
    }
}
