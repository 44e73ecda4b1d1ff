using OmniFusion.Instruments;
using OmniFusion.Tensors;
using OmniFusion.Tests.Checkpoints;
using OmniFusion.Tests.Models;
using OmniFusion.Tests.Training;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Instruments;

public sealed class PictureAnalysisTests : IDisposable
{
    private static readonly byte[] s_red = PictogramMaker.Square(255, 0, 0, 0), s_blue = PictogramMaker.Square(0, 0, 255, 0);

    // As many as it takes for the random backgrounds of their scenes to even out.
    private static readonly string[] s_known = [.. Enumerable.Range(1, 8).Select(number => $"old-{number}")];

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Readings_are_told_apart_where_their_pictures_look_like_those_of_known_makers()
    {
        List<int> looked = [];
        PictureReport report = Run(s_red, s_blue, looked.Add);
        Assert.Equal((2, "new"), (report.Pictures, report.Maker));
        Assert.Equal(["state 0", "state 1", "state 2", "state 3", "state 4", "prefix"], report.Stages.Select(stage => stage.Stage));
        Assert.Equal(1, report.Stages[0].Accuracy);
        // Of two names that a model never learnt, one is said of both drawings; nobody knows which.
        Assert.Equal((0.5, 0.5), (report.Named, report.NamedApart));
        ConfusedPicture confused = Assert.Single(report.Confused);
        Assert.Equal(("bat", confused.Hexcode), (confused.Word, confused.Name));
        Assert.NotEqual(confused.Name, confused.Said);
        Assert.All(report.Stages, stage => Assert.True(stage is { Common: > 0, Telling: > 0 }));
        Tensor words = TinyModels.Model.Parts.Translator.EmbedTokens(
            new Compute(), Enumerable.Range(0, TinyModels.Model.Parts.Translator.VocabularySize).ToArray());
        Assert.Equal(words.Span.ToArray().Sum(value => (double)value * value), words.Rows * report.WordLength * report.WordLength, 1e-2);
        Assert.Equal(Enumerable.Range(1, PictureAnalysis.Pictures(Corpus(), s_known)), looked);
        // Drawings that look like those of the other reading are taken for them.
        Assert.Equal(0, Run(s_blue, s_red).Stages[0].Accuracy);
    }

    [Fact]
    public void An_unknown_maker_is_one_sentence()
    {
        string error = Assert.Throws<OmniFusionException>(() =>
            new PictureAnalysis(TinyModels.Model).Run(Corpus(), Pack(s_red, s_blue), s_known, "nobody")).Message;
        Assert.Equal($"There are no pictograms of 'nobody', only of {string.Join(", ", s_known)}, new.", error);
    }

    public void Dispose() => _folder.Dispose();

    private PictureReport Run(byte[] first, byte[] second, Action<int>? progress = null) =>
        new PictureAnalysis(TinyModels.Model).Run(Corpus(), Pack(first, second), s_known, "new", progress);

    private PictogramPack Pack(byte[] first, byte[] second)
    {
        string path = _folder[$"{first[0]}.pack"];
        PictogramInfo[] infos = [.. new[] { "1", "2" }.Select(code => new PictogramInfo(code, code, code, "Objects", "tool", null))];
        PictogramPack.Write(path, new PictogramPackHeader([.. s_known, "new"], infos), [.. s_known.SelectMany(_ => new[] { s_red, s_blue }), first, second]);
        return PictogramPack.Open(path);
    }

    private AmbiguityCorpus Corpus()
    {
        _folder.Write("words-a.jsonl", """{"word":"bat","kind":"noun","split":"mixed","readings":["animal","club"],"pictures":[["1"],["2"]]}""");
        _folder.Write("sentences-a.jsonl", string.Join('\n', Enumerable.Range(0, 6).Select(i =>
            $$"""{"word":"bat","split":"train","en":"bat {{i}}","de":["a","b"],"fr":["a","b"],"cs":["a","b"]}""")));
        return AmbiguityCorpus.Read(_folder.Path);
    }
}
