using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Instruments;

/// <summary>
/// Shows how a model's fusion weighs the thinker's layers: for one input token by token (<see cref="Read"/>), and over a data set by kind
/// of token (<see cref="Add"/>, <see cref="Report"/>). Only the thinker and the fusion layer are computed.
/// <code>
/// GateAnalysis analysis = new(OmniFusionModel.Load("models/nano"));
/// analysis.Add(analysis.Read(new() { Audio = "speech.wav", TargetLanguage = "de" }));
/// GateReport report = analysis.Report();
/// </code>
/// </summary>
/// <param name="model">The model; one thread at a time may use the analysis.</param>
public sealed class GateAnalysis(OmniFusionModel model)
{
    private readonly Compute _compute = model.CreateCompute();
    private readonly List<TokenGates> _tokens = [];
    private int _items;

    /// <summary>Reads the gates of an input.</summary>
    /// <param name="request">What the model would translate: a recording, an image, or an image with a text.</param>
    /// <param name="imageSize">Size to which images are brought; null: the bundle's.</param>
    /// <param name="cancellation">Checked while files are read.</param>
    /// <exception cref="OmniFusionException">The inputs cannot be read or pass the thinker by, or the fusion has no gates.</exception>
    public GateMap Read(TranslationRequest request, ImageSize? imageSize = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThinkerInput input = model.Reader.Read(request, imageSize, newTokens: 0, cancellation).Input
            ?? throw new OmniFusionException("A text alone goes to the translator and meets no gates: give a recording or an image.");
        FusedTranslator parts = model.Parts;
        _compute.Arena.Reset();
        ThinkerBatch batch = parts.Thinker.Prepare([input]);
        Tensor[] states = parts.Thinker.Forward(_compute, [input], batch, cache: null, [.. parts.Layers]);
        Tensor gates = parts.Fusion.Forward(_compute, states).Gates ?? throw new OmniFusionException(
            $"The model fuses by '{parts.Fusion.Mode}', which has no gates; weighted, attention, gated and pooled have.");
        TokenGates[] tokens = [.. batch.Ids.Select((id, row) => new TokenGates(
            batch.AudioRows[row] >= 0 ? TokenKind.Audio : batch.ImageRows[row] >= 0 ? TokenKind.Image : TokenKind.Prompt,
            model.ThinkerTokenizer.TokenText(id),
            // One row of gates is that of all tokens.
            gates.Row(gates.Rows == 1 ? 0 : row).ToArray()))];
        int images = tokens.Count(token => token.Kind == TokenKind.Image);
        // Neighbouring patches are merged to one token, as many across as down.
        int merge = images == 0 ? 1 : (int)Math.Round(Math.Sqrt(input.Grid.Patches / (double)images));
        return new GateMap(parts.Layers, tokens, input.Grid.Height / merge, input.Grid.Width / merge);
    }

    /// <summary>Adds an input to the report.</summary>
    public void Add(GateMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        _tokens.AddRange(map.Tokens);
        _items++;
    }

    /// <summary>The gates of everything that was added.</summary>
    /// <exception cref="OmniFusionException">Nothing was added.</exception>
    public GateReport Report()
    {
        if (_tokens.Count == 0)
            throw new OmniFusionException("There are no inputs whose gates could be reported.");
        IReadOnlyList<int> layers = model.Parts.Layers;
        return new GateReport(model.Parts.Fusion.Mode, layers, _items, Math.Log(layers.Count),
        [
            .. _tokens.GroupBy(token => token.Kind).OrderBy(kind => kind.Key)
                .Select(kind => GateStatistics.Of(kind.Key.ToString().ToLowerInvariant(), [.. kind])),
            GateStatistics.Of("all", _tokens),
        ]);
    }
}
