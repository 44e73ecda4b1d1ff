using System.IO.Compression;
using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public sealed class RecipeTests(TinyTraining tiny) : IClassFixture<TinyTraining>
{
    [Fact]
    public void TheRateRisesHoldsAndFalls()
    {
        Recipe recipe = new() { Steps = 100, WarmupSteps = 10, DecaySteps = 20, LearningRate = 2 };
        float[] rates = [.. Enumerable.Range(1, 100).Select(recipe.RateAt)];
        Assert.Equal(0.2f, rates[0]);
        Assert.All(Enumerable.Range(1, 9), i => Assert.True(rates[i] > rates[i - 1]));
        Assert.All(rates[9..81], rate => Assert.Equal(2, rate));
        Assert.All(Enumerable.Range(81, 19), i => Assert.True(rates[i] < rates[i - 1]));
        // The last step still learns.
        Assert.Equal(0.1f, rates[99], 1e-6f);
        Assert.Equal(0, recipe.RateAt(101));

        recipe = new() { Steps = 10, WarmupSteps = 0, DecaySteps = 0, LearningRate = 2 };
        Assert.All(Enumerable.Range(1, 10), step => Assert.Equal(2, recipe.RateAt(step)));
    }

    [Fact]
    public void ThePhaseIsTheFirstThatIsNotOver()
    {
        Recipe recipe = new() { Phases = [new() { UntilStep = 2, Ctc = 1, Decoder = 0 }, new() { UntilStep = 5, Ctc = 0.5f }] };
        Assert.Equal([1, 1, 0.5f, 0.5f, 0.5f, 0.3f], Enumerable.Range(1, 6).Select(step => recipe.PhaseAt(step).Ctc));
        Assert.Equal(1, recipe.PhaseAt(6).Decoder);
    }

    [Theory]
    [InlineData("learning_rat: 0.1", "there is no 'learning_rat' here")]
    [InlineData("? steps\n: 9", "'steps' stands here twice")]
    [InlineData("? rate_factors\n: { model: 1, model: 2 }", "'model' stands here twice")]
    [InlineData("threads: 100000", "'threads' must be at most 1024")]
    [InlineData("eyes: true", "'eyes' needs 'pictures'")]
    [InlineData("phases: [ { decoder: 1 } ]", "not of a translator")]
    [InlineData("phases: many", "a value of another kind is wanted here")]
    [InlineData("steps: many", "many")]
    [InlineData("steps: 0", "'steps'")]
    [InlineData("log_every: 0", "'log_every'")]
    [InlineData("batch_seconds: .nan", "'batch_seconds'")]
    [InlineData("learning_rate: -1", "'learning_rate'")]
    [InlineData("learning_rate: .inf", "'learning_rate' must be finite")]
    [InlineData("batch_seconds: .inf", "'batch_seconds' must be finite")]
    [InlineData("dropout: 1", "'dropout'")]
    [InlineData("stage: sing", "'stage'")]
    [InlineData("rate_factors: { omni: -1 }", "'rate_factors: omni'")]
    [InlineData("phases:", "'phases' has no value")]
    [InlineData("phases: [ ~ ]", "'phases: -' has no value")]
    [InlineData("stage:", "'stage' has no value")]
    [InlineData("start: ${nowhere}", "${nowhere}")]
    [InlineData("start: ${open", "${open")]
    [InlineData("steps: [", "bad.yaml")]
    public void ABadRecipeIsRefusedInASentenceThatNamesIt(string line, string named)
    {
        string message = Assert.Throws<OmniFusionException>(() => tiny.Recipe("translator", "bad", line)).Message;
        Assert.Contains("bad.yaml", message);
        Assert.Contains(named, message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("phases: [ { decoder: 1, ctc: -0.1 } ]", "'ctc'")]
    [InlineData("phases: [ { reading: .nan } ]", "'reading'")]
    [InlineData("phases: [ { until_step: 0 } ]", "'until_step'")]
    [InlineData("data: { transcribed: 1.5 }", "'transcribed'")]
    [InlineData("data: { transcribed: .nan }", "'transcribed'")]
    [InlineData("data: { beginnings: -0.1 }", "'beginnings'")]
    [InlineData("data: { further: [ { repeat: -1 } ] }", "'repeat'")]
    [InlineData("model: { init_std: 0 }", "'init_std'")]
    [InlineData("model: { hidden_size: 2000000000, vocabulary: 300 }", "'model' are too large")]
    [InlineData("model: { vocabulary_text: [a.en, ~] }", "'model: vocabulary_text: -' has no value")]
    [InlineData("data: { source: }", "'data: source' has no value")]
    [InlineData("data: { targets: { de: } }", "'data: targets: de' has no value")]
    [InlineData("data: { validation_targets: { de: } }", "'data: validation_targets: de' has no value")]
    [InlineData("data: { further: [ { source: ~ } ] }", "'data: further: source' has no value")]
    [InlineData("data: { further: [ { targets: , source: a.en } ] }", "'data: further: targets' has no value")]
    [InlineData("data: { pictures: { pictograms: ~ } }", "'data: pictures: pictograms' has no value")]
    [InlineData("data: { pictures: { pictograms: p }, ambiguity: { corpus: ~ } }", "'data: ambiguity: corpus' has no value")]
    [InlineData("data: { source: a.en }", "'data: speech' is missing")]
    [InlineData("data: { source: a.en, speech: p, validation_source: a.en, validation_speech: p, pictures: { share: 0.5 } }", "'data: pictures: pictograms' is missing")]
    public void ASectionChecksItself(string section, string named)
    {
        File.WriteAllText(tiny["section.yaml"], $"stage: recognizer\noutput: o\nsteps: 1\n{section}\n");
        Assert.Contains(named, Assert.Throws<OmniFusionException>(() => Recipe.Load(tiny["section.yaml"])).Message);
    }

    [Fact]
    public void BeginningsAreOfSpeech()
    {
        File.WriteAllText(tiny["begun.yaml"], "stage: translator\noutput: o\nsteps: 1\ndata: { beginnings: 0.1 }\n");
        Assert.Contains("not of a translator", Assert.Throws<OmniFusionException>(() => Recipe.Load(tiny["begun.yaml"])).Message);
    }

    [Fact]
    public void AMissingOrEmptyRecipeIsRefused()
    {
        Assert.Contains("none.yaml", Assert.Throws<OmniFusionException>(() => Recipe.Load(tiny["none.yaml"])).Message);
        File.WriteAllText(tiny["empty.yaml"], "# nothing");
        Assert.Contains("empty.yaml", Assert.Throws<OmniFusionException>(() => Recipe.Load(tiny["empty.yaml"])).Message);
    }

    [Theory]
    [InlineData("recognizer", "Source")]
    [InlineData("recognizer", "Speech")]
    [InlineData("recognizer", "VocabularyText")]
    [InlineData("translator", "Source")]
    [InlineData("translator", "Targets")]
    [InlineData("translator", "Start")]
    [InlineData("fusion", "Mmfm")]
    [InlineData("fusion", "Speech")]
    public void AMissingDataFileIsNamed(string stage, string field)
    {
        tiny.MakeParts();
        string missing = tiny["missing"];
        Recipe recipe = tiny.Recipe(stage, $"{stage}-without-{field}");
        switch (field)
        {
            case "Source": recipe.Data.Source = missing; break;
            case "Targets": recipe.Data.Targets["de"] = missing; break;
            case "Speech": recipe.Data.Speech = missing; break;
            case "VocabularyText": recipe.Model.VocabularyText = [missing]; break;
            case "Start": recipe.Start = missing; break;
            default: recipe.Mmfm = missing; break;
        }
        Assert.Contains(missing, Assert.Throws<OmniFusionException>(() => TrainingStages.Open(recipe)).Message);
    }

    [Fact]
    public void ATextThatWasCutOffIsRefused()
    {
        using MemoryStream content = new();
        using (GZipStream packed = new(content, CompressionLevel.Optimal))
            packed.Write("one\ntwo\nthree\n"u8);
        byte[] whole = content.ToArray();
        File.WriteAllBytes(tiny["lines.gz"], [.. whole, .. whole]);
        Assert.Equal(["one", "two", "three", "one", "two", "three"], TextLines.Read(tiny["lines.gz"]));
        foreach (int length in new[] { 5, whole.Length - 12, whole.Length - 8, whole.Length - 1, whole.Length + 5, 2 * whole.Length - 1 })
        {
            File.WriteAllBytes(tiny["lines.gz"], [.. whole.Concat(whole).Take(length)]);
            string message = Assert.Throws<OmniFusionException>(() => TextLines.Read(tiny["lines.gz"])).Message;
            Assert.Contains("lines.gz cannot be read", message);
            Assert.Contains("cut off", message);
        }
    }

    [Fact]
    public void FilesThatDoNotBelongTogetherAreRefused()
    {
        Recipe recipe = tiny.Recipe("translator", "short");
        File.WriteAllText(tiny["short.txt"], "eins\nzwei");
        recipe.Data.Targets["de"] = tiny["short.txt"];
        Assert.Contains("short.txt has 2", Assert.Throws<OmniFusionException>(() => TrainingStages.Open(recipe)).Message);

        recipe = tiny.Recipe("recognizer", "foreign");
        string[] lines = File.ReadAllLines(tiny["en.txt"]);
        lines[5] += "s";
        tiny.MakePack("foreign.pack", lines);
        recipe.Data.Speech = tiny["foreign.pack"];
        Assert.Contains("foreign.pack", Assert.Throws<OmniFusionException>(() => TrainingStages.Open(recipe)).Message);
    }

    [Theory]
    [InlineData("modle.")]
    [InlineData("")]
    public void ARateFactorOfNothingIsRefused(string prefix)
    {
        Recipe recipe = tiny.Recipe("translator", "idle-factor", $"rate_factors: {{ \"{prefix}\": 0.5 }}");
        Assert.Contains($"'{prefix}'", Assert.Throws<OmniFusionException>(() => tiny.Train(recipe)).Message);
    }

    [Fact]
    public void AFusionLearnsFromNothingThatIsNotTranslated()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("fusion", "untranslated");
        RecipeSpeech part = new() { Source = tiny["en.txt"], Speech = tiny["en.pack"] };
        recipe.Data.Further = [part];
        Assert.Contains("translations into de", Assert.Throws<OmniFusionException>(() => TrainingStages.Open(recipe)).Message);
        part.Targets["fr"] = tiny["de.txt"];
        Assert.Contains("translations into de", Assert.Throws<OmniFusionException>(() => TrainingStages.Open(recipe)).Message);
        part.Repeat = 0;
        TrainingStages.Open(recipe);

        recipe = tiny.Recipe("fusion", "unambiguous", pictures: true);
        recipe.Data.Further = [];
        recipe.Data.Ambiguity!.Told = 1;
        recipe.Data.Targets = new() { ["es"] = tiny["de.txt"] };
        Assert.Contains("translations into es", Assert.Throws<OmniFusionException>(() => TrainingStages.Open(recipe)).Message);
    }

    [Theory]
    [InlineData("recognizer")]
    [InlineData("translator")]
    [InlineData("fusion")]
    public void AStageWithoutWhatItNeedsIsRefused(string stage)
    {
        Recipe recipe = new() { Stage = stage, Output = tiny["bare"], Steps = 1 };
        Assert.Throws<OmniFusionException>(() => TrainingStages.Open(recipe));
        recipe = tiny.Recipe(stage, "headless-" + stage, "mmfm: ~");
        recipe.Model.Heads = recipe.Model.AudioHeads = 0;
        if (stage == "fusion")
            recipe.Mmfm = null;
        Assert.Throws<OmniFusionException>(() => TrainingStages.Open(recipe));
    }

    [Fact]
    public void AnUnknownStageIsRefused() => Assert.Contains("'sing'",
        Assert.Throws<OmniFusionException>(() => TrainingStages.Open(tiny.Recipe("sing", "sung"))).Message);
}
