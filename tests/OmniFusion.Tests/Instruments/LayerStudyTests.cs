using OmniFusion.Instruments;
using OmniFusion.Models;
using OmniFusion.Tests.Training;
using OmniFusion.Training;

namespace OmniFusion.Tests.Instruments;

public sealed class LayerStudyTests(TinyTraining tiny) : IClassFixture<TinyTraining>
{
    private static readonly int[][] s_sets = [[0, 1, 2], [2]];

    [Fact]
    public void Each_set_is_trained_judged_and_kept()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("fusion", "study", "steps: 8");
        LayerStudy study = new(recipe, tiny["layers"], steps: 3);
        List<string> seen = [];
        IReadOnlyList<LayerResult> results = study.Run(s_sets, (layers, progress) => seen.Add(string.Join(",", layers)));
        Assert.Equal(["0,1,2", "2"], seen.Distinct());
        Assert.Equal(s_sets, results.Select(result => result.Layers));
        Assert.All(results, result => Assert.Equal(3, result.Steps));
        Assert.All(results, result => Assert.Equal(["speech_bleu_de", "text_bleu_de"], result.Quality.Keys.Order()));
        // The model of the folder takes the layers that it was trained with.
        OmniFusionModel one = OmniFusionModel.Load(
            Directory.GetDirectories(tiny["layers"], "2-*").Single(path => !path.EndsWith(".work", StringComparison.Ordinal)));
        Assert.Equal([2], one.Parts.Layers);
        Assert.Empty(one.UnplacedKeys);

        // What is finished is not trained again; what is new is.
        seen.Clear();
        IReadOnlyList<LayerResult> again = study.Run([[2], [1, 0]], (layers, progress) => seen.Add(string.Join(",", layers)));
        Assert.Equal(["1,0"], seen.Distinct());
        Assert.Equal(results[1].Quality, again[0].Quality);
        Assert.Equal(3, File.ReadLines(study.ResultsFile).Count());
        Assert.Contains(">1, 0<", File.ReadAllText(tiny["layers/layers.svg"]));
        recipe.LearningRate *= 2;
        new LayerStudy(recipe, tiny["layers"], steps: 3).Run([[2]], (layers, progress) => seen.Add("changed"));
        Assert.Contains("changed", seen);
    }

    [Fact]
    public void A_study_that_was_stopped_goes_on_to_the_same_result()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("fusion", "stopped", "steps: 4");
        IReadOnlyList<LayerResult> expected = new LayerStudy(recipe, tiny["unbroken"]).Run([[0, 2]]);
        LayerStudy study = new(recipe, tiny["broken"]);
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => study.Run([[0, 2]], (layers, progress) =>
        {
            if (progress.Step == 2)
                stop.Cancel();
        }, stop.Token));
        List<int> steps = [];
        IReadOnlyList<LayerResult> found = study.Run([[0, 2]], (layers, progress) => steps.Add(progress.Step));
        Assert.Equal(3, steps[0]);
        Assert.Equal((expected[0].Loss, expected[0].Recipe), (found[0].Loss, found[0].Recipe));
        Assert.Equal(expected[0].Quality, found[0].Quality);
    }

    [Fact]
    public void What_cannot_be_compared_is_refused_before_anything_is_trained()
    {
        tiny.MakeParts();
        LayerStudy study = new(tiny.Recipe("fusion", "refused"), tiny["refused-layers"]);
        foreach (int[][] sets in (int[][][])[[], [[0], [3]], [[0], [1, 1]], [[0], []]])
            Assert.Throws<OmniFusionException>(() => study.Run(sets));
        Assert.False(Directory.Exists(tiny["refused-layers"]));
        Assert.Contains("translator", Assert.Throws<OmniFusionException>(() =>
            new LayerStudy(tiny.Recipe("translator", "none"), tiny["none"])).Message, StringComparison.Ordinal);
        Assert.Contains("0 to 2", Assert.Throws<OmniFusionException>(() =>
            TrainingStages.Open(tiny.Recipe("fusion", "beyond", "fusion_layers: [0, 3]"))).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(tiny["damaged"]);
        File.WriteAllText(tiny["damaged/results.jsonl"], "{}\n");
        Assert.Contains("results.jsonl", Assert.Throws<OmniFusionException>(() =>
            new LayerStudy(tiny.Recipe("fusion", "refused"), tiny["damaged"]).Run([[0]])).Message, StringComparison.Ordinal);
    }
}
