using System.Diagnostics;
using System.Runtime.InteropServices;
using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Models.Fusion;
using OmniFusion.Models.Omni;
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

    // The token of each row of the prefix, those of the gloss left out.
    private readonly List<int> _tokens = [];
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
        _selected = [.. _parts.Layers];
        _states = new Tensor[_selected.Length];
        _gloss = _parts.Gloss is { } gloss ? new IncrementalGloss(gloss) : null;
        _thought = chainOfThought ? new IncrementalThought(model, language, Thinker.Run, noRepeatNgramSize) : null;
        Heads = options.Heads;
    }

    /// <inheritdoc/>
    public override Tokenizer Tokenizer { get; }

    /// <summary>The translator's sequence.</summary>
    internal CausalRun Translator => _translator;

    /// <summary>Rows of the prefix in front of its gloss.</summary>
    internal int FusedRows => _tokens.Count;

    /// <summary>Rows of the gloss behind the fused states.</summary>
    internal int GlossRows => _gloss?.Rows.Count ?? 0;

    /// <summary>What the thinker wrote for a chain of thought; empty without.</summary>
    internal string Transcript => _thought?.Transcript ?? "";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Heard =>
        [.. new[] { Transcript, _gloss is null ? "" : Tokenizer.Decode([.. _gloss.Heard], skipSpecialTokens: true) }.Where(text => text.Length > 0)];

    private protected override ICausalModel Writing => _parts.Translator;

    private protected override GreedyWriter Writer { get; }

    private protected override int[] Opening => _thought?.Opening ?? Prompt.Tower;

    // A row of the gloss stands for what the state that says it stands for.
    private protected override IReadOnlyList<(int Row, int Position)> Sources =>
    [
        .. _tokens.Concat(_gloss?.Rows.Select(row => _tokens[row]) ?? []).Index()
            .Select(row => (Row: row.Index, Position: row.Item - Thinker.HeadRows))
            .Where(row => row.Position >= 0 && row.Position < SourcePositions),
    ];

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
        reader.CheckLength(_parts.MostRows(Thinker.Rows + Tail.Length) + Prompt.Tower.Length + thought + kept, maxNewTokens);
    }

    private protected override WriterPrefix ReadSource(Compute c, int mostTokens, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        Tensor? changed = Thinker.Changed(c, out int token);
        int[] ids = [.. Thinker.Ids, .. Tail.Span];
        int first = FusedRows;
        if (changed is not null)
        {
            (changed, first) = Fuse(c, changed, token);
            if (_thought is not null)
                changed = _thought.Write(c, changed, ids, Prompt, mostTokens, cancellation);
            changed = Gloss(c, changed, first);
        }
        Spent = Spent with { Thinker = Spent.Thinker + Stopwatch.GetElapsedTime(started).TotalSeconds };
        return new WriterPrefix(
            FusedRows + GlossRows, first, changed, [.. _tokens.Select(own => ids[own]), .. _gloss?.Ids ?? []]);
    }

    // Speech whose transcript is read needs no gloss.
    private Tensor Gloss(Compute c, Tensor states, int first)
    {
        MediaStretch[] media = [.. Thinker.Media.Select(stretch => FusedPrefix.RowsOf(CollectionsMarshal.AsSpan(_tokens), stretch))];
        return _gloss?.Update(c, states, first, media, Transcript.Length > 0) is { } words ? RowBuffer.Stack(c, states, words) : states;
    }

    // The rows of the prefix that are new when the tokens from one on are, and the first of them.
    private (Tensor States, int First) Fuse(Compute c, Tensor embeddings, int token)
    {
        int start = _parts.Fusion.From(token, Thinker.Media);
        // Nobody keeps hidden states: what the fusion looks back at goes through the thinker once more.
        if (start < token)
            embeddings = Audio.TokensFrom(c, start - Thinker.HeadRows);
        Thinker.Run.Truncate(start);
        Thinker.Run.Append(c, RowBuffer.Stack(c, embeddings, _parts.Thinker.EmbedTokens(c, Tail)), probe: null, _selected, _states);
        FusedRows rows = _parts.Fuse(c, _states, [.. Thinker.Media.Select(stretch => stretch.From(start)).Where(stretch => stretch.Length > 0)], out _);
        int first = FusedPrefix.RowOf(CollectionsMarshal.AsSpan(_tokens), start);
        _tokens.RemoveRange(first, FusedRows - first);
        _tokens.AddRange(rows.Tokens.Select(own => start + own));
        return (rows.States, first);
    }
}
