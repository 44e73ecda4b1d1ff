using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Training;
using OmniFusion.Training.Data;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace OmniFusion.Instruments;

/// <summary>
/// Shows how far what a picture tells comes in a model: in each of the thinker's hidden states where the image stands, and in the prefix that
/// the translator reads. A probe without weights: the mean state over an image by one maker is assigned to that reading of an ambiguous word
/// whose pictures by other makers have the nearer mean (by cosine, after the mean of all pictures is taken off). And what the prefix says in
/// the translator's words: which name its rows give most probability, as <see cref="Training.Recipe.PrefixWeight"/> trains them to.
/// </summary>
/// <param name="model">The model; one thread at a time may use the analysis.</param>
public sealed class PictureAnalysis(OmniFusionModel model)
{
    // Scenes of each drawing that a class's mean is made of.
    private const int Scenes = 2;

    private readonly Compute _compute = model.CreateCompute();
    private readonly PrefixGloss _gloss = new(model.Parts.Translator, model.EndOfTranslation[0]);

    /// <summary>Looks at every picture that decides an ambiguous word.</summary>
    /// <param name="corpus">The words and their pictures.</param>
    /// <param name="pictograms">The drawings.</param>
    /// <param name="known">Makers whose drawings the classes are learnt from, in scenes.</param>
    /// <param name="maker">The maker whose drawings are told apart, upright and on white.</param>
    /// <param name="progress">Called with the number of pictures looked at; there are as many as <see cref="Pictures"/>.</param>
    /// <param name="cancellation">Checked for each picture.</param>
    /// <exception cref="OmniFusionException">A picture or maker is not in the pictograms, or the model has no eyes.</exception>
    public PictureReport Run(AmbiguityCorpus corpus, PictogramPack pictograms, IReadOnlyList<string> known, string maker,
        Action<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pictograms);
        ArgumentNullException.ThrowIfNull(known);
        foreach (string name in known.Append(maker))
            if (!pictograms.Makers.Contains(name))
                throw new OmniFusionException($"There are no pictograms of '{name}', only of {string.Join(", ", pictograms.Makers)}.");
        if (known.Count == 0)
            throw new OmniFusionException("At least one maker must be known.");
        string[] codes = Codes(corpus);
        SceneComposer composer = new();
        Random random = new(1);
        int done = 0;
        // [stage][picture] -> mean state.
        double[][][] classes = Stages(codes, code => [.. known.SelectMany(name => Enumerable.Range(0, Scenes)
            .Select(_ => composer.Compose([Drawing(code, name)], random)))]);
        double[][][] drawn = Stages(codes, code => [composer.ComposeFixed([Drawing(code, maker)])]);
        int[] layers = [.. Enumerable.Range(0, model.Parts.Thinker.Layers + 1)];
        string[] names = [.. codes.Select(code => Drawing(code, maker).Info.Name)];
        int[][] tokens = [.. names.Select(name => model.TranslatorTokenizer.Encode(TextPairs.Told(name), addSpecialTokens: false))];
        double[][] said = [.. codes.Select(code => Named(composer.ComposeFixed([Drawing(code, maker)]), tokens))];
        int[] says = [.. said.Select(scores => Array.IndexOf(scores, scores.Max()))];
        Decision[] decisions = [.. Decide(corpus, codes, (code, other) => said[code][other])];
        return new PictureReport(codes.Length, known, maker,
            says.Index().Count(item => names[item.Item] == names[item.Index]) / (double)codes.Length, Share(decisions),
            [.. classes.Zip(drawn, (learnt, seen) => (learnt, seen)).Select((stage, i) =>
                Measure(i < layers.Length ? $"state {i}" : "prefix", corpus, codes, stage.learnt, stage.seen))],
            [.. decisions.Where(decision => !decision.IsRight).Select(decision =>
                new ConfusedPicture(decision.Word.Word, codes[decision.Picture], names[decision.Picture], names[says[decision.Picture]]))],
            WordLength());

        Pictogram Drawing(string code, string by) => pictograms.Find(code, by)
            ?? throw new OmniFusionException($"The picture {code} is not in the pictograms.");

        double[][][] Stages(string[] pictures, Func<string, RgbImage[]> scenes)
        {
            double[][][] byPicture = [.. pictures.Select(code =>
            {
                double[][][] looks = [.. scenes(code).Select(image =>
                {
                    cancellation.ThrowIfCancellationRequested();
                    progress?.Invoke(++done);
                    return Look(image);
                })];
                return looks[0].Select((_, stage) => Mean([.. looks.Select(look => look[stage])])).ToArray();
            })];
            return [.. byPicture[0].Select((_, stage) => byPicture.Select(picture => picture[stage]).ToArray())];
        }
    }

    /// <summary>How many pictures <see cref="Run"/> looks at.</summary>
    public static int Pictures(AmbiguityCorpus corpus, IReadOnlyList<string> known)
    {
        ArgumentNullException.ThrowIfNull(known);
        return Codes(corpus).Length * (known.Count * Scenes + 1);
    }

    private static string[] Codes(AmbiguityCorpus corpus)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        return [.. corpus.Words.SelectMany(word => word.Pictures).SelectMany(codes => codes).Distinct()];
    }

    // Mean log-probability of each name's tokens in the rows of the prefix where the image stands.
    private double[] Named(RgbImage image, int[][] names)
    {
        (Tensor states, int[] rows) = Perceive(image)[^1];
        Tensor scores = _compute.Softmax(_gloss.Scores(_compute, _compute.Gather(states, rows)));
        return
        [
            .. names.Select(name => TextPairs.Spread(name, rows.Length)
                .Index().Average(item => Math.Log(Math.Max(scores.Row(item.Index)[item.Item], 1e-9f)))),
        ];
    }

    // Root mean square length of the embeddings of the translator's tokens; some at a time, because a large vocabulary takes a gigabyte.
    private double WordLength()
    {
        int vocabulary = model.Parts.Translator.VocabularySize;
        double squares = 0;
        foreach (int[] tokens in Enumerable.Range(0, vocabulary).Chunk(1024))
        {
            _compute.Arena.Reset();
            Tensor words = model.Parts.Translator.EmbedTokens(_compute, tokens);
            for (int row = 0; row < words.Rows; row++)
                squares += TensorPrimitives.SumOfSquares<float>(words.Row(row));
        }
        return Math.Sqrt(squares / vocabulary);
    }

    // The mean over an image's tokens of each hidden state, and of the prefix.
    private double[][] Look(RgbImage image) =>
    [
        .. Perceive(image).Select(stage =>
            Mean([.. stage.Rows.Select(row => Array.ConvertAll(stage.States.Row(row).ToArray(), value => (double)value))])),
    ];

    // Each hidden state, then the prefix, and the rows of each where the image stands.
    private (Tensor States, int[] Rows)[] Perceive(RgbImage image)
    {
        TranslationRequest request = new() { Picture = image, TargetLanguage = model.Bundle.Languages[0] };
        ThinkerInput input = model.Reader.Read(request, imageSize: null, newTokens: 0, CancellationToken.None).Input!;
        FusedTranslator parts = model.Parts;
        _compute.Arena.Reset();
        ThinkerBatch batch = parts.Thinker.Prepare([input]);
        Tensor[] states = parts.Thinker.Forward(_compute, [input], batch, cache: null, [.. Enumerable.Range(0, parts.Thinker.Layers + 1)]);
        FusedPrefix prefix = parts.Fuse(_compute, [.. parts.Layers.Select(layer => states[layer])], batch);
        return [.. states.Select(state => FusedPrefix.Of(state, batch)).Append(prefix).Select(stage => (stage.States,
            (int[])[.. Enumerable.Range(0, stage.States.Rows).Where(row => batch.ImageRows[stage.Tokens[row]] >= 0)]))];
    }

    private static PictureStage Measure(string name, AmbiguityCorpus corpus, string[] codes, double[][] learnt, double[][] seen)
    {
        double[] all = Mean(learnt);
        double[][] classes = [.. learnt.Select(own => Less(own, all))], drawn = [.. seen.Select(own => Less(own, all))];
        return new PictureStage(name, Norm(all), Math.Sqrt(classes.Average(own => Norm(own) * Norm(own))),
            Share([.. Decide(corpus, codes, (code, other) => Cosine(classes[other], drawn[code]))]));
    }

    // Whether each picture is more like one of its own reading than like any of the other.
    private static IEnumerable<Decision> Decide(AmbiguityCorpus corpus, string[] codes, Func<int, int, double> likeness)
    {
        Dictionary<string, int> number = codes.Index().ToDictionary(item => item.Item, item => item.Index);
        foreach (AmbiguousWord word in corpus.Words)
            for (int reading = 0; reading < 2; reading++)
                foreach (int picture in word.Pictures[reading].Select(code => number[code]))
                {
                    double Nearest(int of) => word.Pictures[of].Max(other => likeness(picture, number[other]));
                    yield return new Decision(word, picture, Nearest(reading) > Nearest(1 - reading));
                }
    }

    private static double Share(Decision[] decisions) => decisions.Count(decision => decision.IsRight) / (double)decisions.Length;

    private static double[] Mean(double[][] vectors)
    {
        double[] mean = new double[vectors[0].Length];
        foreach (double[] vector in vectors)
            for (int i = 0; i < mean.Length; i++)
                mean[i] += vector[i] / vectors.Length;
        return mean;
    }

    private static double[] Less(double[] vector, double[] other) => [.. vector.Zip(other, (a, b) => a - b)];

    private static double Norm(double[] vector) => Math.Sqrt(vector.Sum(value => value * value));

    private static double Cosine(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum() / Math.Max(Norm(a) * Norm(b), 1e-12);

    private readonly record struct Decision(AmbiguousWord Word, int Picture, bool IsRight);
}

/// <summary>How far what pictures tell comes in a model.</summary>
/// <param name="Pictures">Number of pictures.</param>
/// <param name="Known">Whose drawings the classes are learnt from.</param>
/// <param name="Maker">Whose drawings are told apart.</param>
/// <param name="Named">Share of the pictures whose own name is the one that the prefix says, of all their names, from 0 to 1.</param>
/// <param name="NamedApart">Share for which the prefix says a name of the right one of two readings rather than of the other.</param>
/// <param name="Stages">The hidden states in their order, then the prefix.</param>
/// <param name="Confused">The pictures for which the prefix says rather a name of the wrong reading.</param>
/// <param name="WordLength">
/// Root mean square length of the translator's embeddings. Where the states of the prefix are much longer, the translator's layers add to a word
/// what they make of it, and to a state of the prefix hardly anything.
/// </param>
public sealed record PictureReport(
    int Pictures, IReadOnlyList<string> Known, string Maker, double Named, double NamedApart, IReadOnlyList<PictureStage> Stages,
    IReadOnlyList<ConfusedPicture> Confused, double WordLength);

/// <summary>A picture that is taken for the other reading of its word.</summary>
/// <param name="Word">The ambiguous word.</param>
/// <param name="Hexcode">The picture's code points.</param>
/// <param name="Name">Its name.</param>
/// <param name="Said">The name that the prefix says, of all pictures' names.</param>
public sealed record ConfusedPicture(string Word, string Hexcode, string Name, string Said);

/// <summary>What the states of images tell at one place.</summary>
/// <param name="Stage"><c>state N</c> of the thinker, or <c>prefix</c>.</param>
/// <param name="Common">Length of what all pictures have in common: their mean.</param>
/// <param name="Telling">Root mean square length of what tells them apart: the distance from that mean.</param>
/// <param name="Accuracy">Share of the pictures assigned to the right one of two readings, from 0 to 1; 0.5 is chance.</param>
public sealed record PictureStage(string Stage, double Common, double Telling, double Accuracy);
