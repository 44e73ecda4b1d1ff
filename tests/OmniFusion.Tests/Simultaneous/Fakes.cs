using OmniFusion.Media;
using OmniFusion.Simultaneous;
using OmniFusion.Text;

namespace OmniFusion.Tests.Simultaneous;

/// <summary>The tokenizers that the tests write with.</summary>
internal static class Tokenizers
{
    public static string Nano { get; } = Path.Combine(Golden.Root, "..", "..", "models", "nano");

    public static Tokenizer Translator { get; } = Tokenizer.Load(Path.Combine(Nano, "translator"));

    public static Tokenizer[] All { get; } =
    [
        Translator, Tokenizer.Load(Path.Combine(Nano, "omni")), Tokenizer.Load(Golden.Tiny("translator")),
        Tokenizer.Load(Golden.Tiny("omni")),
    ];
}

/// <summary>Sound that counts as speech, and silence.</summary>
internal static class Sound
{
    // Between syllables it is quiet for a moment, which a hum never is.
    public static float[] Speech(double seconds) =>
        [.. Enumerable.Range(0, (int)(seconds * 16000)).Select(i => i % 4000 < 640 ? 0 : 0.1f * MathF.Sin(i * 0.1f))];

    public static float[] Silence(double seconds) => new float[(int)(seconds * 16000)];
}

/// <summary>Writes hypotheses that a script makes of the step's number and the kept tokens.</summary>
internal sealed class ScriptedDecoder(Tokenizer tokenizer, Func<int, int[], Hypothesis> script) : IPartialDecoder
{
    private int _steps;

    public Tokenizer Tokenizer => tokenizer;

    public int SourcePositions => 100;

    public bool SourceEnded { get; set; }

    public Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return script(_steps++, [.. kept]);
    }
}

/// <summary>Writes one word for every 0.4 s that it hears, and guesses the last one wrong until it has heard more.</summary>
internal sealed class FakeSpeechDecoder : ISpellingDecoder
{
    private long _samples, _spoken;

    public static int Alive;

    public FakeSpeechDecoder() => Interlocked.Increment(ref Alive);

    public List<RgbImage?> Shown { get; } = [];

    public Action<CancellationToken>? OnWrite { get; init; }

    public Action? OnShow { get; init; }

    public bool Disposed { get; private set; }

    public Tokenizer Tokenizer => Tokenizers.Translator;

    public int SourcePositions => (int)(Seconds * 25);

    public bool SourceEnded { get; private set; }

    public double Seconds => _samples / 16000.0;

    /// <summary>What it claims to spell of so many seconds; null: it cannot.</summary>
    public Func<double, Spelling?>? OnSpell { get; init; }

    public Spelling? Spell() => OnSpell?.Invoke(Seconds);

    public IReadOnlyList<string> Heard => [];

    /// <summary>It guesses no word wrong, and this stands behind the last one when it hears only silence; null: as above.</summary>
    public string? Ending { get; init; }

    public void Append(ReadOnlySpan<float> samples)
    {
        Assert.False(SourceEnded || Disposed);
        int last = samples.LastIndexOfAnyExcept(0);
        if (last >= 0)
            _spoken = _samples + last + 1;
        _samples += samples.Length;
    }

    public void Complete() => SourceEnded = true;

    public void Show(RgbImage? image)
    {
        OnShow?.Invoke();
        Shown.Add(image);
    }

    public Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default)
    {
        Assert.False(Disposed);
        OnWrite?.Invoke(cancellation);
        cancellation.ThrowIfCancellationRequested();
        int words = Math.Max((int)((Ending is null ? _samples : _spoken) / 6400), 1);
        string text = string.Join(' ', Enumerable.Range(1, words)
            .Select(i => i == words && !SourceEnded && Ending is null ? $"falsch{words}" : $"Wort{i}"));
        if (SourceEnded || _samples - _spoken >= 1600)
            text += Ending;
        int[] tokens = Tokenizer.Encode(text, addSpecialTokens: false);
        // What was kept is kept, right or wrong.
        return new Hypothesis([.. kept, .. tokens.Skip(kept.Count)], true, null);
    }

    public void Dispose()
    {
        if (!Disposed)
            Interlocked.Decrement(ref Alive);
        Disposed = true;
    }
}

/// <summary>"Translates" by upper case.</summary>
internal sealed class FakeTextDecoder : ITextDecoder
{
    private string _text = "";

    public List<string> Sources { get; } = [];

    public Tokenizer Tokenizer => Tokenizers.Translator;

    public int SourcePositions => _text.Length;

    public bool SourceEnded { get; private set; }

    public void SetSource(string text, bool ended)
    {
        Assert.NotEqual("", text);
        Sources.Add(text);
        (_text, SourceEnded) = (text, ended);
    }

    public Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default)
    {
        int[] tokens = Tokenizer.Encode(_text.ToUpperInvariant(), addSpecialTokens: false);
        return new Hypothesis([.. kept, .. tokens.Skip(kept.Count)], true, null);
    }

    public void Dispose()
    {
    }
}
