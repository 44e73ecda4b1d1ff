using OmniFusion.Generation;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>Computes everything anew at each step.</summary>
internal sealed class RecomputingSpeechDecoder(OmniFusionModel model, Language target, bool transcribes) : ISpeechDecoder
{
    private readonly List<float> _samples = [];
    private readonly Compute _c = model.CreateCompute();
    private RgbImage? _image;

    internal static ISpeechDecoder Translator(OmniFusionModel model, Language target) => new RecomputingSpeechDecoder(model, target, false);

    internal static ISpeechDecoder Recognizer(OmniFusionModel model, Language target) => new RecomputingSpeechDecoder(model, target, true);

    public Tokenizer Tokenizer => transcribes ? model.ThinkerTokenizer : model.TranslatorTokenizer;
    public int SourcePositions => (int)(Seconds * 25);
    public bool SourceEnded { get; private set; }
    public double Seconds => _samples.Count / 16000.0;
    public void Append(ReadOnlySpan<float> samples) => _samples.AddRange(samples);
    public void Complete() => SourceEnded = true;
    public void Show(RgbImage? image) => _image = image;
    public void Dispose() { }

    public Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default)
    {
        TranslationRequest request = new() { Samples = [.. _samples], Picture = _image, TargetLanguage = target.Code };
        _c.Arena.Reset();
        if (transcribes)
        {
            var input = model.Reader.ReadForThinker(request, cancellation);
            if (kept.Count > 0)
                input = new() { Ids = [.. input.Ids, .. kept], Mel = input.Mel, Patches = input.Patches, Grid = input.Grid };
            return Run(model.Parts.StartThinker(_c, [input]), kept, maxNewTokens, model.EndOfTranscript, _c, cancellation);
        }
        PreparedRequest prepared = model.Reader.Read(request, null, maxNewTokens, cancellation);
        var prefix = model.Parts.Encode(_c, [prepared.Input!]);
        return Run(model.Parts.Start(_c, prefix, [[.. prepared.Text, .. kept]]), kept, maxNewTokens, model.EndOfTranslation, _c, cancellation);
    }

    internal static Hypothesis Run(DecoderStart start, IReadOnlyList<int> kept, int most, IReadOnlyList<int> ends, Compute c, CancellationToken cancellation)
    {
        int[] ids = start.Search(c, new() { NumBeams = 1, NoRepeatNgramSize = 0, MaxNewTokens = most, EndOfText = ends }, cancellation)[0].Ids;
        bool ended = ids.Length > 0 && ends.Contains(ids[^1]);
        return new Hypothesis([.. kept, .. ended ? ids[..^1] : ids], ended, null);
    }
}

internal sealed class RecomputingTextDecoder(OmniFusionModel model, Language source, Language target) : ITextDecoder
{
    private readonly Compute _c = model.CreateCompute();
    private int[] _ids = [];
    public Tokenizer Tokenizer => model.TranslatorTokenizer;
    public int SourcePositions => _ids.Length;
    public bool SourceEnded { get; private set; }
    public void SetSource(string text, bool ended)
    {
        _ids = model.Reader.Read(new() { Text = text, SourceLanguage = source.Code, TargetLanguage = target.Code }, null, 1, default).Text;
        SourceEnded = ended;
    }
    public void Dispose() { }
    public Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default)
    {
        _c.Arena.Reset();
        return RecomputingSpeechDecoder.Run(model.Parts.Start(_c, null, [[.. _ids, .. kept]]), kept, maxNewTokens, model.EndOfTranslation, _c, cancellation);
    }
}
