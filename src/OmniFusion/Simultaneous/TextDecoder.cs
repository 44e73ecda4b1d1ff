using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// The translator alone on a text that is still growing: the second stage of a cascade. It keeps what it computed for the common beginning
/// of the prompt before and after; the translation is greedy, as that of <see cref="OmniFusionModel.TranslateAsync"/> with one beam.
/// </summary>
public sealed class TextDecoder : ITextDecoder
{
    private readonly OmniFusionModel _model;
    private readonly Language _source, _target;
    private readonly CausalRun _translator;
    private readonly GreedyWriter _writer;
    private readonly int[] _frame;
    private DecoderMemory? _memory;
    private AttentionProbe? _probe;
    private int[] _ids;
    private int _start;

    private TextDecoder(OmniFusionModel model, Language source, Language target, PartialDecoderOptions options)
    {
        (_model, _source, _target) = (model, source, target);
        _ids = _frame = model.Reader.ReadSentence("", source, target);
        Heads = options.Heads;
        _memory = model.BorrowMemory();
        _translator = new CausalRun(model.Parts.Translator, _memory.TranslatorCache, axes: 1);
        _writer = new GreedyWriter(
            _translator, model.EndOfTranslation, options.NoRepeatNgramSize ?? model.Bundle.Generation.NoRepeatNgramSize);
    }

    /// <inheritdoc/>
    public Tokenizer Tokenizer => _model.TranslatorTokenizer;

    /// <summary>Layers and heads whose attention is put into <see cref="Hypothesis.Attention"/>; null: none.</summary>
    /// <exception cref="OmniFusionException">The translator has no such head.</exception>
    public IReadOnlyList<AttentionHead>? Heads
    {
        get;
        set
        {
            _probe = value is not { Count: > 0 } ? null
                : new AttentionProbe(_model.Parts.Translator.Decoder.Shape, [.. value.Select(head => (head.Layer, head.Head))]);
            field = value;
        }
    }

    /// <inheritdoc/>
    public int SourcePositions { get; private set; }

    /// <inheritdoc/>
    public bool SourceEnded { get; private set; }

    /// <summary>The translator's sequence.</summary>
    internal CausalRun Translator => _translator;

    /// <summary>Begins a text.</summary>
    /// <param name="model">Translates.</param>
    /// <param name="sourceLanguage">Code or English name of the language of the text.</param>
    /// <param name="targetLanguage">Code or English name of the language to translate into.</param>
    /// <param name="options">How; null: the defaults.</param>
    /// <exception cref="OmniFusionException">A language is not known, or the translator has no such attention head.</exception>
    public static TextDecoder Create(
        OmniFusionModel model, string sourceLanguage, string targetLanguage, PartialDecoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Language source = Languages.Find(sourceLanguage), target = model.Reader.Target(targetLanguage);
        return new TextDecoder(model, source, target, options ?? new PartialDecoderOptions());
    }

    /// <summary>Sets the source as it is now. It may also change at its end, as a transcript does.</summary>
    /// <param name="text">All of the text.</param>
    /// <param name="ended">Whether it is complete.</param>
    public void SetSource(string text, bool ended)
    {
        ArgumentNullException.ThrowIfNull(text);
        ObjectDisposedException.ThrowIf(_memory is null, this);
        SourceEnded = ended;
        _ids = string.IsNullOrWhiteSpace(text) ? _frame : _model.Reader.ReadSentence(text, _source, _target);
        // The source is what the prompt has besides the tokens that are there without a source.
        int shorter = Math.Min(_ids.Length, _frame.Length), end = 0;
        _start = _ids.AsSpan().CommonPrefixLength(_frame);
        while (end < shorter - _start && _ids[^(end + 1)] == _frame[^(end + 1)])
            end++;
        SourcePositions = _ids.Length - end - _start;
    }

    /// <inheritdoc/>
    /// <exception cref="OmniFusionException">Source and text together are longer than the model takes.</exception>
    public Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        KeptTokens.Check(kept, maxNewTokens, _model.Parts.Translator);
        cancellation.ThrowIfCancellationRequested();
        if (SourcePositions == 0 || maxNewTokens == 0)
            return new Hypothesis([.. kept], Ended: SourcePositions == 0, _probe is null ? null : []);
        _model.Reader.CheckLength(_ids.Length + kept.Count, maxNewTokens);
        Compute c = _memory.Compute;
        c.Arena.Reset();
        return _writer.Write(c, new WriterPrefix(0, 0, null, []), _ids, kept, maxNewTokens, View(_probe), cancellation);
    }

    /// <summary>Reads a translation that somebody else wrote of the source as it is, and lets a probe see where its tokens look.</summary>
    /// <param name="text">Tokens, at least two; there is a source.</param>
    /// <param name="probe">Of the translator.</param>
    /// <exception cref="OmniFusionException">Source and text together are longer than the model takes.</exception>
    internal void Follow(IReadOnlyList<int> text, AttentionProbe probe)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        KeptTokens.Check(text, 0, _model.Parts.Translator);
        _model.Reader.CheckLength(_ids.Length + text.Count, 0);
        Compute c = _memory.Compute;
        c.Arena.Reset();
        _writer.Follow(c, new WriterPrefix(0, 0, null, []), _ids, text, View(probe));
    }

    /// <summary>Gives the memory back to the model.</summary>
    public void Dispose()
    {
        if (_memory is not null)
            _model.Return(_memory);
        _memory = null;
    }

    private WriterView View(AttentionProbe? probe) =>
        new(probe, SourcePositions, probe is null ? [] : [.. Enumerable.Range(0, SourcePositions).Select(position => (_start + position, position))]);
}
