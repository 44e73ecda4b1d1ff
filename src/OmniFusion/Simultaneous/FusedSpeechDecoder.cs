using System.Diagnostics;
using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// The fused system over one segment of speech that is still arriving: audio tower, thinker, fusion and translator each compute only what
/// is new. The translation is greedy and, once the source is complete, that of <see cref="OmniFusionModel.TranslateAsync"/> with one beam.
/// With a chain of thought the thinker also writes a transcript at each step, all of which may still change, and the translator reads it.
/// Many decoders may work on one model, each on a thread of its own.
/// </summary>
public sealed class FusedSpeechDecoder : SpeechDecoder
{
    private readonly FusedTranslator _parts;
    private readonly CausalRun _translator;
    private readonly int[] _selected;
    private readonly Tensor[] _states;
    private readonly IncrementalGloss? _gloss;
    private readonly IncrementalThought? _thought;

    private FusedSpeechDecoder(OmniFusionModel model, Language language, PartialDecoderOptions options, bool chainOfThought)
        : base(model, language, options, thinkerWrites: chainOfThought)
    {
        _parts = model.Parts;
        Tokenizer = model.TranslatorTokenizer;
        _translator = new CausalRun(_parts.Translator, Memory.TranslatorCache, axes: 1);
        int noRepeatNgramSize = options.NoRepeatNgramSize ?? model.Bundle.Generation.NoRepeatNgramSize;
        Writer = new GreedyWriter(_translator, model.EndOfTranslation, noRepeatNgramSize);
        _selected = _parts.Fusion.Selected(_parts.Thinker.Layers);
        _states = new Tensor[_selected.Length];
        _gloss = _parts.Gloss is { } gloss ? new IncrementalGloss(gloss) : null;
        _thought = chainOfThought ? new IncrementalThought(model, language, Thinker.Run, noRepeatNgramSize) : null;
        Heads = options.Heads;
    }

    /// <inheritdoc/>
    public override Tokenizer Tokenizer { get; }

    /// <summary>The translator's sequence.</summary>
    internal CausalRun Translator => _translator;

    /// <summary>Rows of the gloss behind the fused states.</summary>
    internal int GlossRows => _gloss?.Rows.Count ?? 0;

    /// <summary>What the thinker wrote for a chain of thought; empty without.</summary>
    internal string Transcript => _thought?.Transcript ?? "";

    private protected override ICausalModel Writing => _parts.Translator;

    private protected override GreedyWriter Writer { get; }

    private protected override int[] Opening => _thought?.Opening ?? Prompt.Tower;

    private protected override IReadOnlyList<(int Row, int Position)> Echoes => _gloss is null ? []
        : [.. _gloss.Rows.Index().Where(item => item.Item >= Thinker.HeadRows)
            .Select(item => (FusedRows + item.Index, item.Item - Thinker.HeadRows))];

    // Rows of the fused states; the gloss stands behind them, and moves with their number.
    private int FusedRows => Thinker.Rows + Tail.Length;

    // Without what asks the thinker to write.
    private ReadOnlyMemory<int> Tail => Prompt.Tail.AsMemory(0, Prompt.Tail.Length - (_thought?.AskingLength ?? 0));

    /// <summary>Begins a segment.</summary>
    /// <param name="model">Translates.</param>
    /// <param name="targetLanguage">Code or English name of the language to translate into.</param>
    /// <param name="options">How; null: the defaults.</param>
    /// <param name="chainOfThought">Whether the thinker writes a transcript, which the translator reads behind the fused states.</param>
    /// <exception cref="OmniFusionException">The model does not know the language, or has no such attention head.</exception>
    public static FusedSpeechDecoder Create(
        OmniFusionModel model, string targetLanguage, PartialDecoderOptions? options = null, bool chainOfThought = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new FusedSpeechDecoder(model, model.Reader.Target(targetLanguage), options ?? new PartialDecoderOptions(), chainOfThought);
    }

    private protected override void Restart()
    {
        _translator.Truncate(0);
        Writer.Restart();
        _thought?.Restart();
    }

    private protected override void CheckLength(RequestReader reader, int kept, int maxNewTokens)
    {
        int thought = _thought is null ? 0 : kept + maxNewTokens;
        reader.CheckThinkerLength(Thinker.Rows + Prompt.Tail.Length + thought);
        reader.CheckLength(reader.Glossed(FusedRows) + Prompt.Tower.Length + thought + kept, maxNewTokens);
    }

    private protected override WriterPrefix ReadSource(Compute c, int mostTokens, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        Tensor? changed = Thinker.Changed(c, out int first);
        if (changed is not null)
        {
            changed = Fuse(c, RowBuffer.Stack(c, changed, _parts.Thinker.EmbedTokens(c, Tail)), first);
            if (_thought is not null)
                changed = _thought.Write(c, changed, first, [.. Thinker.Ids, .. Tail.Span], Prompt, mostTokens, cancellation);
            changed = Gloss(c, changed, first);
        }
        Spent = Spent with { Thinker = Spent.Thinker + Stopwatch.GetElapsedTime(started).TotalSeconds };
        return new WriterPrefix(
            FusedRows + GlossRows, first, changed, [.. Thinker.Ids, .. Tail.Span, .. _gloss?.Ids ?? []]);
    }

    // Speech whose transcript is read needs no gloss.
    private Tensor Gloss(Compute c, Tensor states, int first)
    {
        IReadOnlyList<(int, int)> read = Transcript.Length > 0 ? Thinker.Images : [.. Thinker.Images, (Thinker.HeadRows, SourcePositions)];
        return _gloss?.Update(c, states, first, read) is { } words ? RowBuffer.Stack(c, states, words) : states;
    }

    private Tensor Fuse(Compute c, Tensor embeddings, int first)
    {
        Thinker.Run.Truncate(first);
        Thinker.Run.Append(c, embeddings, probe: null, _selected, _states);
        return _parts.Projection.Forward(c, _parts.Fusion.Forward(c, _states).States);
    }
}
