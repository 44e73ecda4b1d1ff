using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// What the decoders of growing speech share: they take audio, keep what is computed of it, and spell it. Memory grows with the segment,
/// 300 s at most, and goes back to the model with <see cref="Dispose"/>.
/// </summary>
public abstract class SpeechDecoder : ISpellingDecoder
{
    private readonly OmniFusionModel _model;
    private readonly Language _language;
    private readonly ImageSize? _imageSize;
    private readonly bool _thinkerWrites;
    private readonly ShownImage _shown;
    private RgbImage? _image;
    private DecoderMemory? _memory;
    private bool _promptIsNew;

    private protected SpeechDecoder(OmniFusionModel model, Language language, PartialDecoderOptions options, bool thinkerWrites)
    {
        (_model, _language, _imageSize, _thinkerWrites) = (model, language, options.ImageSize, thinkerWrites);
        _shown = options.Shown ?? new ShownImage();
        Prompt = NewPrompt(image: null);
        Audio = new IncrementalAudio(model.Parts.Thinker, model.Recognizer, model.Reader.LogMel, options.Exact);
        _memory = model.BorrowMemory();
        Thinker = new IncrementalThinker(model.Parts.Thinker, Audio, _memory.ThinkerCache);
        _promptIsNew = true;
    }

    /// <inheritdoc/>
    public abstract Tokenizer Tokenizer { get; }

    /// <summary>Layers and heads whose attention is put into <see cref="Hypothesis.Attention"/>; null: none.</summary>
    /// <exception cref="OmniFusionException">The decoder has no such head.</exception>
    public IReadOnlyList<AttentionHead>? Heads
    {
        get;
        set
        {
            Probe = value is not { Count: > 0 } ? null
                : new AttentionProbe(Writing.Decoder.Shape, [.. value.Select(head => (head.Layer, head.Head))]);
            field = value;
        }
    }

    /// <inheritdoc/>
    public int SourcePositions => Audio.Tokens;

    /// <inheritdoc/>
    public bool SourceEnded => Audio.Completed;

    /// <inheritdoc/>
    public double Seconds => (double)Audio.Samples / AudioFile.ModelRate;

    /// <summary>
    /// The most by which a normalised log-mel value that the last text rests on differs from the offline computation of the audio so far:
    /// the loudest value rose after the chunk of that value had been encoded. 0 when exact, as it is once the source is complete.
    /// </summary>
    public float LogMelDeviation => Audio.Deviation;

    /// <inheritdoc/>
    public virtual IReadOnlyList<string> Heard => [];

    internal IncrementalAudio Audio { get; }

    internal IncrementalThinker Thinker { get; }

    internal SpeechPrompt Prompt { get; private set; }

    /// <summary>Seconds of computing so far.</summary>
    internal StepSeconds Spent { get; private protected set; }

    private protected AttentionProbe? Probe { get; private set; }

    /// <summary>The decoder that writes.</summary>
    private protected abstract Generation.ICausalModel Writing { get; }

    private protected abstract GreedyWriter Writer { get; }

    /// <summary>Ids behind the source that open the text.</summary>
    private protected abstract int[] Opening { get; }

    /// <summary>Rows of the writing decoder, and the position of the source that each stands for.</summary>
    private protected virtual IReadOnlyList<(int Row, int Position)> Sources =>
        [.. Enumerable.Range(0, SourcePositions).Select(position => (Thinker.HeadRows + position, position))];

    private protected DecoderMemory Memory => _memory ?? throw new ObjectDisposedException(GetType().Name);

    /// <inheritdoc/>
    /// <exception cref="OmniFusionException">A sample is not a number, or the segment becomes too long; nothing is taken then.</exception>
    /// <exception cref="InvalidOperationException">The source is complete.</exception>
    public void Append(ReadOnlySpan<float> samples)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        if (Audio.Completed)
            throw new InvalidOperationException("The source is complete.");
        if (Audio.Samples + samples.Length > RequestReader.MaxSeconds * AudioFile.ModelRate)
            throw new OmniFusionException($"The audio is too long: a segment has at most {RequestReader.MaxSeconds} seconds.");
        foreach (float sample in samples)
            if (!float.IsFinite(sample))
                throw new OmniFusionException("The audio holds samples that are not numbers.");
        Audio.Append(samples);
    }

    /// <inheritdoc/>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        if (!Audio.Completed)
            Audio.Complete();
    }

    /// <inheritdoc/>
    /// <exception cref="OmniFusionException">The model has no vision tower.</exception>
    public void Show(RgbImage? image)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        if (ReferenceEquals(image, _image))
            return;
        Prompt = image is null ? NewPrompt(image) : _shown.Prompt(image, () => NewPrompt(image));
        _image = image;
        // The image stands before the audio: the decoders read all rows again, the audio tower nothing.
        _promptIsNew = true;
    }

    /// <inheritdoc/>
    public Spelling? Spell()
    {
        if (_model.Recognizer is null)
            return null;
        Listen();
        return Audio.Spelling;
    }

    /// <inheritdoc/>
    /// <exception cref="OmniFusionException">Source and text together are longer than the model takes.</exception>
    public Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default)
    {
        KeptTokens.Check(kept, maxNewTokens, Writing);
        cancellation.ThrowIfCancellationRequested();
        Compute c = Prepare();
        if (Audio.Tokens == 0 || maxNewTokens == 0)
            return new Hypothesis([.. kept], Ended: Audio.Tokens == 0, Probe is null ? null : []);
        CheckLength(_model.Reader, kept.Count, maxNewTokens);
        return Behind(c, kept.Count + maxNewTokens, prefix => Writer.Write(
            c, prefix, Opening, kept, maxNewTokens, View(Probe), cancellation), cancellation);
    }

    /// <summary>Reads a text that somebody else wrote about the audio so far, and lets a probe see where its tokens look.</summary>
    /// <param name="text">Tokens, at least two; there is audio.</param>
    /// <param name="probe">Of the decoder that writes.</param>
    /// <exception cref="OmniFusionException">Source and text together are longer than the model takes.</exception>
    internal void Follow(IReadOnlyList<int> text, AttentionProbe probe)
    {
        KeptTokens.Check(text, 0, Writing);
        Compute c = Prepare();
        CheckLength(_model.Reader, text.Count, 0);
        Behind(c, text.Count, prefix =>
        {
            Writer.Follow(c, prefix, Opening, text, View(probe));
            return true;
        }, CancellationToken.None);
    }

    /// <summary>Gives the memory back to the model.</summary>
    public void Dispose()
    {
        if (_memory is not null)
            _model.Return(_memory);
        _memory = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Another prompt begins: whatever rests on the last one goes.</summary>
    private protected abstract void Restart();

    /// <summary>What stands in front of the text, of which only what is new is computed.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="mostTokens">Tokens at most of whatever is written about the source.</param>
    /// <param name="cancellation">Checked at each token that is written.</param>
    private protected abstract WriterPrefix ReadSource(Compute c, int mostTokens, CancellationToken cancellation);

    /// <exception cref="OmniFusionException">Source and text together are longer than the model takes.</exception>
    private protected abstract void CheckLength(RequestReader reader, int kept, int maxNewTokens);

    private T Behind<T>(Compute c, int mostTokens, Func<WriterPrefix, T> write, CancellationToken cancellation)
    {
        try
        {
            WriterPrefix prefix = ReadSource(c, mostTokens, cancellation);
            try
            {
                return write(prefix);
            }
            finally
            {
                Thinker.Accept();
                Spent = Spent with { Read = Writer.ReadSeconds, Write = Writer.WriteSeconds };
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // What is kept may not fit together any more.
            _promptIsNew = true;
            throw;
        }
    }

    private SpeechPrompt NewPrompt(RgbImage? image) => _model.Reader.ReadForSpeech(_language, image, _imageSize, _thinkerWrites);

    // Only once the source has been read is it known where its positions stand.
    private WriterView View(AttentionProbe? probe) => new(probe, SourcePositions, probe is null ? [] : Sources);

    private Compute Prepare()
    {
        Compute c = Listen();
        if (_promptIsNew)
        {
            Thinker.Begin(Prompt);
            Restart();
            _promptIsNew = false;
        }
        return c;
    }

    private Compute Listen()
    {
        Compute c = Memory.Compute;
        c.Arena.Reset();
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        Audio.Update(c);
        Spent = Spent with { Audio = Spent.Audio + System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds };
        return c;
    }
}

/// <summary>Where the time of a decoder went, in seconds.</summary>
/// <param name="Audio">The audio tower.</param>
/// <param name="Thinker">
/// The thinker, with fusion and projection, and what it writes for a chain of thought; of the recogniser nothing, its thinker reads and writes.
/// </param>
/// <param name="Read">The writing decoder over new rows of the source, kept tokens and the draft.</param>
/// <param name="Write">The writing decoder token by token.</param>
internal readonly record struct StepSeconds(double Audio, double Thinker, double Read, double Write);
