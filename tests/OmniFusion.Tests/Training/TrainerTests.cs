using System.Text.Json;
using System.Text.Json.Nodes;
using OmniFusion.Checkpoints;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training;
using OmniFusion.Training.Data;
using OmniFusion.Training.Examples;

namespace OmniFusion.Tests.Training;

public sealed class TrainerTests(TinyTraining tiny) : IClassFixture<TinyTraining>
{
    private const string Phases = "phases: [ { until_step: 3, ctc: 1, decoder: 0, max_seconds: 0.6 }, { until_step: 100, ctc: 0.3 } ]";

    [Fact]
    public void ARecogniserLearnsAndItsModelLoads()
    {
        Recipe recipe = tiny.Recipe("recognizer", "learnt-omni", "steps: 14\n" + Phases);
        JsonObject[] log = tiny.Train(recipe);
        AssertFalls(log[..3], "ctc");
        AssertFalls(log[3..14], "decoder");
        Assert.Equal(["ctc_cer", "ctc_wer", "wer"], log[14]["evaluation"]!.AsObject().Select(item => item.Key).Order());

        Weights weights = new(Checkpoint.Open(recipe.Output));
        Thinker thinker = new(OmniConfig.Load(recipe.Output + "/config.json"), weights.Under("thinker"));
        Assert.Equal(330, thinker.VocabularySize);
        _ = new CtcHead(16, Checkpoint.Open(recipe.Output + "/recognizer.safetensors").Under("ctc_head"));
        Assert.Equal(330, Tokenizer.Load(recipe.Output).VocabularySize);
    }

    [Fact]
    public void TheDecoderLearnsToTellWhatItHearsAndSees()
    {
        tiny.MakeParts();
        JsonObject[] log = tiny.Train(tiny.Recipe("recognizer", "telling",
            $"start: {tiny["omni"]}\nsteps: 14\nphases: [ {{ ctc: 0.3, reading: 0.5, decoder: 1 }} ]", pictures: true));
        foreach (string name in new[] { "said_loss", "seen_loss", "decoder" })
            AssertFalls([.. log[..14].Where(line => line.ContainsKey(name))], name);
    }

    [Fact]
    public void TheThinkerLearnsToTellInTheTranslatorsWords()
    {
        Recipe seeing = Seeing("seeing-words");
        // Embeddings that have not learnt lie so close together that nothing can be told in them.
        Recipe translator = tiny.Recipe("translator", "words-translator", "steps: 30");
        tiny.Train(translator);
        Recipe first = tiny.Recipe("fusion", "first", $"mmfm: {seeing.Output}\nsteps: 1");
        tiny.Train(first);
        string fusion = Path.Combine(first.Output, "fusion");
        Recipe recipe = tiny.Recipe("recognizer", "words",
            $"start: {seeing.Output}\nadapter: {fusion}\ntranslator: {translator.Output}\nsteps: 14\nphases: [ {{ ctc: 0.3, reading: 0.5, decoder: 1, naming: 0 }} ]", pictures: true);
        JsonObject[] log = tiny.Train(recipe);
        foreach (string name in new[] { "said_loss", "seen_loss", "decoder" })
            AssertFalls([.. log[..14].Where(line => line.ContainsKey(name))], name);
        Assert.Equal(["ctc_cer", "ctc_wer", "read_wer", "wer"], log[14]["evaluation"]!.AsObject().Select(item => item.Key).Order());
        AssertHasGates(log[..14]);
        // Not what the thinker would tell in its own tokens.
        Assert.NotEqual(Told(log[0]), Told(OwnWords()[0]), 1e-3);

        Checkpoint before = Checkpoint.Open(fusion), after = Checkpoint.Open(Path.Combine(recipe.Output, "fusion"));
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.All(before.Keys.Where(key => key.Contains("weight", StringComparison.Ordinal)), key =>
            Assert.False(before.Find(key)!.ToF32().Span.SequenceEqual(after.Find(key)!.ToF32().Span), key));
        tiny.Train(tiny.Recipe("fusion", "after-words",
            $"mmfm: {recipe.Output}\nstart: {recipe.Output}/fusion\nsteps: 1"));
        Assert.NotNull(OmniFusionModel.Load(tiny["after-words"]).Parts);

        Assert.Contains("'translator'", Assert.Throws<OmniFusionException>(
            () => tiny.Recipe("recognizer", "wordless", $"adapter: {fusion}\ntranslator:")).Message, StringComparison.Ordinal);

        static double Told(JsonObject line) => Part(line, "said") + Part(line, "seen");

        Recipe deep = tiny.Recipe("recognizer", "too-deep", $"start: {seeing.Output}\nadapter: {fusion}\nfusion_layers: [0, 1, 9]");
        Assert.Contains("hidden states 0, 1, 9", Assert.Throws<OmniFusionException>(() => tiny.Train(deep)).Message, StringComparison.Ordinal);

        JsonObject[] OwnWords() => tiny.Train(tiny.Recipe("recognizer", "own-words",
            $"start: {seeing.Output}\nsteps: 1\nphases: [ {{ ctc: 0.3, reading: 0.5, decoder: 1, naming: 0 }} ]", pictures: true));
    }

    [Fact]
    public void ATranslatorLearnsAndItsModelLoads()
    {
        Recipe recipe = tiny.Recipe("translator", "learnt-translator", "steps: 12");
        JsonObject[] log = tiny.Train(recipe);
        AssertFalls(log[..12], "loss");
        Assert.NotNull(log[12]["evaluation"]!["bleu_de"]);
        MistralModel model = new(MistralConfig.Load(recipe.Output + "/config.json"), new Weights(Checkpoint.Open(recipe.Output)));
        Assert.Equal(330, model.VocabularySize);
        Assert.True(File.Exists(recipe.Output + ".work/log.svg"));
    }

    [Fact]
    public async Task AFusionLearnsAndTheWholeSystemLoads()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("fusion", "learnt-fusion", "steps: 15");
        JsonObject[] log = tiny.Train(recipe);
        AssertFalls([.. log.Where(line => line.ContainsKey("fused_loss"))], "fused_loss");
        AssertFalls([.. log.Where(line => line.ContainsKey("text_loss"))], "text_loss");
        Assert.Equal(5, log.Count(line => line.ContainsKey("text_loss")));
        // It begins as the mean of its layers.
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(1 / 3.0, log[0][$"gate_{i}"]!.GetValue<double>(), 1e-5));
        Assert.Equal(1, Enumerable.Range(0, 3).Sum(i => log[14][$"gate_{i}"]?.GetValue<double>() ?? 1 / 3.0), 1e-4);

        OmniFusionModel model = OmniFusionModel.Load(recipe.Output);
        Assert.Empty(model.UnplacedKeys);
        Assert.InRange(model.Bundle.TrainedSeconds!.Value, 1, 30);
        Assert.NotNull(model.Recognizer);
        TranslationRequest request = new() { Samples = new float[8000], TargetLanguage = "de" };
        Assert.Equal("de", (await model.TranslateAsync(request, new TranslationOptions { MaxNewTokens = 3 })).Language);
        // The thinker is frozen; the translator is not.
        Assert.Equal(File.ReadAllBytes(tiny["omni/model.safetensors"]), File.ReadAllBytes(recipe.Output + "/omni/model.safetensors"));
        Assert.NotEqual(
            File.ReadAllBytes(tiny["translator/model.safetensors"]), File.ReadAllBytes(recipe.Output + "/translator/model.safetensors"));
    }

    [Fact]
    public void ATranslatorIsToldWhatIsSeenBesideAmbiguousSentences()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("translator", "told", $"start: {tiny["translator"]}\nsteps: 2", pictures: true);
        int untold = Pairs().Length;
        recipe.Data.Ambiguity!.Told = 3;
        string[] told = Pairs();
        // Four sentences for training in two readings, each with one picture, in one language, three times.
        Assert.Equal(untold + 24, told.Length);
        // Once as a text, once where a fusion's prefix has the image, once where it has image and speech.
        Assert.Single(told, pair => Holds(pair, "(bat) the plays bat here 2", "Tier 2"));
        Assert.Single(told, pair => Holds(pair, "(waving hand) the plays bat here 2", "Hand 2"));
        string[] prefixed = [.. told.Where(pair => pair.StartsWith("((", StringComparison.Ordinal) && pair.EndsWith("Tier 2", StringComparison.Ordinal))];
        Assert.Equal(2, prefixed.Length);
        Assert.All(prefixed, pair => Assert.Contains("the plays bat here 2", pair, StringComparison.Ordinal));

        static bool Holds(string pair, string start, string end) =>
            pair.StartsWith(start, StringComparison.Ordinal) && pair.EndsWith(end, StringComparison.Ordinal);

        string[] Pairs()
        {
            Tokenizer tokenizer = Tokenizer.Load(tiny["translator"]);
            return [.. new TextPairs(recipe.Data, tokenizer).Items.Select(pair => tokenizer.Decode([.. pair.Prompt, .. pair.Target], skipSpecialTokens: true).Trim())];
        }
    }

    [Fact]
    public void WhatIsSaidInFurtherRecordingsIsWrittenOnce()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("translator", "further", "steps: 2");
        int before = Pairs();
        RecipeSpeech Part(string english, string german) => new() { Source = english, Targets = { ["de"] = german } };
        // The same text in other voices is no other text.
        recipe.Data.Further = [Part(tiny["en.txt"], tiny["de.txt"])];
        Assert.Equal(before, Pairs());
        File.WriteAllText(tiny["digits.en"], "one\ntwo\none\n");
        File.WriteAllText(tiny["digits.de"], "eins\nzwei\neins\n");
        recipe.Data.Further = [Part(tiny["digits.en"], tiny["digits.de"]), Part(tiny["digits.en"], tiny["digits.de"])];
        Assert.Equal(before + 2, Pairs());

        int Pairs() => new TextPairs(recipe.Data, Tokenizer.Load(tiny["translator"])).Items.Count;
    }

    [Fact]
    public void ATeacherHasNoSayWhereItsRecipeSaysSo()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("fusion", "untaught", "steps: 2");
        recipe.Data.Further =
        [
            new() { Source = tiny["en.txt"], Targets = { ["de"] = tiny["de.txt"] }, Speech = tiny["en.pack"], Repeat = 3, Taught = false },
        ];
        Mixture mixture = new TrainingData(recipe).ForFusion();
        Example[] examples = [.. Enumerable.Range(1, 60).SelectMany(mixture.At)];
        Assert.All(examples, example => Assert.NotEmpty(example.Translations));
        Assert.Equal(0.25, examples.Average(example => example.Told is null ? 0.0 : 1.0), 0.1);
    }

    [Fact]
    public void AFusionLearnsFromATeacherAsWell()
    {
        Recipe seeing = Seeing("seeing-pupil");
        Recipe teacher = tiny.Recipe("translator", "teacher", "steps: 30");
        tiny.Train(teacher);
        JsonObject[] log = tiny.Train(tiny.Recipe("fusion", "taught",
            $"mmfm: {seeing.Output}\nteacher: {teacher.Output}\nteacher_weight: 2\nsteps: 12", pictures: true));
        AssertFalls([.. log.Where(line => line.ContainsKey("taught_loss"))], "taught_loss");
        Assert.All(log.Where(line => line.ContainsKey("taught_loss")), line =>
            Assert.Equal(line["fused_loss"]!.GetValue<double>() + 2 * line["taught_loss"]!.GetValue<double>(), line["loss"]!.GetValue<double>(), 1e-3));
    }

    [Fact]
    public void WhatAPictureDecidesIsToldFromTheOtherReading()
    {
        Recipe seeing = Seeing("seeing-preferring");
        JsonObject[] log = tiny.Train(Preferring("preferring", "preference_weight: 0.5"));
        JsonObject[] compared = [.. log.Where(line => line.ContainsKey("preferred_loss"))];
        Assert.NotEmpty(compared);
        Assert.All(compared, line => Assert.InRange(
            line["pairs_in_order"]!.GetValue<double>(), 0, line["pairs_compared"]!.GetValue<double>()));
        // The first step of both reads the same translations, and one asks for more.
        JsonObject plain = tiny.Train(Preferring("plain", ""))[0];
        Assert.Equal(Part(plain, "fused"), Part(log[0], "fused"), 1e-4);
        Assert.Equal(Part(log[0], "fused") + 0.5 * Part(log[0], "preferred"), log[0]["loss"]!.GetValue<double>(), 1e-3);

        Recipe Preferring(string name, string line) =>
            tiny.Recipe("fusion", name, $"mmfm: {seeing.Output}\n{line}\ntext_every: 3\nsteps: 14", pictures: true);
    }

    [Fact]
    public void WhatIsSeenMayHaveATeacherOfItsOwn()
    {
        Recipe seeing = Seeing("seeing-two");
        Recipe teacher = tiny.Recipe("translator", "teacher-two", "steps: 3");
        tiny.Train(teacher);
        double[] one = Losses("one", ""), same = Losses("same", $"told_teacher: {teacher.Output}"),
            two = Losses("two", $"told_teacher: {tiny["translator"]}"), seen = Losses("seen", $"told_teacher: {tiny["translator"]}", tiny["translator"]);
        Assert.All(one.Zip(same), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.NotEqual(one[0], two[0], 1e-4);
        Assert.NotEqual(seen[0], two[0], 1e-4);

        double[] Losses(string name, string lines, string? first = null) => [.. tiny.Train(tiny.Recipe("fusion", "taught-" + name,
            $"mmfm: {seeing.Output}\nteacher: {first ?? teacher.Output}\n{lines}\ntext_every: 0\nsteps: 2", pictures: true))
            .Select(line => Part(line, "taught"))];
    }

    [Fact]
    public void NoLayerOfAnAdapterIsDropped()
    {
        tiny.MakeParts();
        Recipe deep = tiny.Recipe("fusion", "deep", "projection_depth: 3\nsteps: 1");
        tiny.Train(deep);
        Recipe shallow = tiny.Recipe("fusion", "shallow", $"start: {deep.Output}/fusion\nprojection_depth: 2");
        Assert.Contains("'projection_depth'", Assert.Throws<OmniFusionException>(() => TrainingStages.Open(shallow)).Message);
        shallow.ProjectionDepth = 3;
        TrainingStages.Open(shallow);
    }

    [Fact]
    public void ATeacherWithOtherTokensIsRefused()
    {
        tiny.MakeParts();
        Recipe foreign = tiny.Recipe("translator", "foreign-teacher", "steps: 1");
        foreign.Model.VocabularyText = [tiny["en.txt"], tiny["en.txt"], tiny["en.txt"], tiny["de.txt"]];
        tiny.Train(foreign);
        foreach (string key in new[] { "teacher", "told_teacher" })
            Assert.Contains("other tokens", Assert.Throws<OmniFusionException>(
                () => TrainingStages.Open(tiny.Recipe("fusion", "misled", $"{key}: {foreign.Output}"))).Message);
    }

    [Fact]
    public void AFusionLearnsToReadWhatTheThinkerHears()
    {
        tiny.MakeParts();
        JsonObject[] none = Train("heard-none", 0), all = Train("heard-all", 1);
        Assert.True(Count(none, "speech") > 0);
        Assert.Equal(0, Count(none, "transcribed"));
        Assert.Equal((0, Count(none, "speech")), (Count(all, "speech"), Count(all, "transcribed")));
        Assert.NotEqual(none[0]["loss"]!.GetValue<double>(), all[0]["loss"]!.GetValue<double>(), 1e-6);
        AssertFalls(all, "fused_loss");

        JsonObject[] Train(string name, double share)
        {
            Recipe recipe = tiny.Recipe("fusion", name, "text_every: 0\nsteps: 10");
            recipe.Data.Transcribed = share;
            return [.. tiny.Train(recipe).Where(line => line.ContainsKey("loss"))];
        }

        static int Count(JsonObject[] log, string kind) => log.Sum(line => line[kind]?.GetValue<int>() ?? 0);
    }

    [Fact]
    public void BeginningsAreLearnt()
    {
        tiny.MakeParts();
        foreach ((string stage, string part, string last) in new[] { ("recognizer", "decoder", "decoder"), ("fusion", "fused_loss", "text_loss") })
        {
            Recipe whole = tiny.Recipe(stage, $"{stage}-of-all", "steps: 6");
            Recipe begun = tiny.Recipe(stage, $"{stage}-of-beginnings", "steps: 6");
            begun.Data.Beginnings = 1;
            JsonObject[] all = tiny.Train(whole), some = tiny.Train(begun);
            // The same recordings, and less to write about them.
            Assert.Equal(all[0]["speech"]!.GetValue<int>(), some[0]["speech"]!.GetValue<int>());
            Assert.True(some[0]["speech_tokens"]!.GetValue<int>() < all[0]["speech_tokens"]!.GetValue<int>());
            // Every third step of the fusion is text alone.
            Assert.True(double.IsFinite(some[4][part]!.GetValue<double>()));
            Assert.True(double.IsFinite(some[5][last]!.GetValue<double>()));
            begun.Output += "-stopped";
            tiny.Train(begun, until: 3);
            Assert.Equal(TinyTraining.Figures(some), TinyTraining.Figures(tiny.Train(begun, resume: true)));
        }
    }

    [Fact]
    public void ThePrefixLearnsToBeReadByItself()
    {
        Recipe seeing = Seeing("seeing-reader");
        JsonObject[] log = tiny.Train(tiny.Recipe(
            "fusion", "read",
            $"mmfm: {seeing.Output}\nprefix_weight: 0.5\nprefix_steps: 2\ntext_every: 0\nsteps: 14", pictures: true));
        foreach (string name in new[] { "said", "seen" })
            AssertFalls([.. log.Where(line => line.ContainsKey(name + "_loss"))], name + "_loss");
        // At first there are only scenes, and they are only read.
        Assert.All(log[..2], line =>
        {
            Assert.Equal(Part(line, "seen"), line["loss"]!.GetValue<double>(), 1e-3);
            Assert.False(line.ContainsKey("fused_loss"));
            Assert.False(line.ContainsKey("speech"));
        });
        AssertHasGates(log[..14]);
        Assert.All(log[2..14], line => Assert.Equal(
            line["loss"]!.GetValue<double>(),
            line["fused_loss"]!.GetValue<double>() + 0.5 * (Part(line, "said") + Part(line, "seen")),
            1e-3));
    }

    [Fact]
    public void TheTranslatorLearnsToReadAGloss()
    {
        Recipe seeing = Seeing("seeing-glossed");
        JsonObject[] with = Train("glossed", gloss: true), without = Train("unglossed", gloss: false);
        AssertFalls(with, "fused_loss");
        Assert.NotEqual(with[0]["fused_loss"]!.GetValue<double>(), without[0]["fused_loss"]!.GetValue<double>(), 1e-6);
        Assert.True(Bundle.Load(tiny["glossed"]).Gloss);
        Assert.False(Bundle.Load(tiny["unglossed"]).Gloss);
        Assert.NotNull(OmniFusionModel.Load(tiny["glossed"]).Parts.Gloss);

        Assert.Contains("'prefix_weight'", Assert.Throws<OmniFusionException>(
            () => tiny.Recipe("fusion", "unread", "gloss: true")).Message, StringComparison.Ordinal);

        JsonObject[] Train(string name, bool gloss) =>
            [.. tiny.Train(tiny.Recipe(
                "fusion", name, $"mmfm: {seeing.Output}\ngloss: {(gloss ? "true" : "false")}\nprefix_weight: 0.5\ntext_every: 0\nsteps: 14",
                pictures: true)).Where(line => line.ContainsKey("loss"))];
    }

    [Fact]
    public void OfTheThinkerOnlyTheEyesLearnWithAFusion()
    {
        Recipe seeing = Seeing("seeing-pupil");
        Recipe recipe = tiny.Recipe("fusion", "eyed", $"mmfm: {seeing.Output}\neyes: true\ntext_every: 0\nsteps: 4", pictures: true);
        tiny.Train(recipe);
        Checkpoint before = Checkpoint.Open(seeing.Output), after = Checkpoint.Open(Path.Combine(recipe.Output, "omni"));
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        string[] changed = [.. before.Keys.Where(key =>
            !before.Find(key)!.ToF32().Span.SequenceEqual(after.Find(key)!.ToF32().Span))];
        Assert.NotEmpty(changed);
        Assert.All(changed, key => Assert.StartsWith("thinker.visual.", key, StringComparison.Ordinal));
    }

    [Fact]
    public void WeightsThatLearnAreNotCopiedFirst()
    {
        Recipe seeing = Seeing("seeing-shards");
        string shard = "model-00001-of-00001.safetensors", index = "model.safetensors.index.json", whole = "model.safetensors";
        File.WriteAllText(Path.Combine(seeing.Output, index), new JsonObject
        {
            ["weight_map"] = new JsonObject(Checkpoint.Open(seeing.Output).Keys.Select(key => KeyValuePair.Create(key, (JsonNode?)shard))),
        }.ToJsonString());
        File.Move(Path.Combine(seeing.Output, whole), Path.Combine(seeing.Output, shard));
        Recipe recipe = tiny.Recipe("fusion", "of-shards", $"mmfm: {seeing.Output}\neyes: true\nsteps: 1", pictures: true);
        tiny.Train(recipe);
        string[] files = [.. Directory.GetFiles(Path.Combine(recipe.Output, "omni")).Select(file => Path.GetFileName(file)!)];
        Assert.DoesNotContain(shard, files);
        Assert.DoesNotContain(index, files);
        Assert.Contains(whole, files);
        Assert.Contains("recognizer.safetensors", files);
        Assert.NotNull(OmniFusionModel.Load(recipe.Output).Recognizer);
    }

    [Fact]
    public void ACheckpointKeepsWhatACalibrationHasWritten()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("fusion", "calibrated", "steps: 2");
        tiny.Train(recipe, until: 1);
        new BundleSimultaneous { Heads = [(1, 0)] }.SaveInto(recipe.Output);
        tiny.Train(recipe, resume: true);
        Assert.Equal([(1, 0)], Bundle.Load(recipe.Output).Simultaneous.Heads);
    }

    [Fact]
    public void EachLanguageIsJudgedByTheSameSpeech()
    {
        tiny.MakeParts();
        JsonObject one = Judged("one-language"), two = Judged("two-languages", "fr");
        Assert.Equal(["speech_bleu_de", "speech_bleu_fr", "text_bleu_de", "text_bleu_fr"], two.Select(item => item.Key).Order());
        foreach ((string name, JsonNode? value) in one)
            Assert.Equal(value!.GetValue<double>(), two[name]!.GetValue<double>());

        JsonObject Judged(string name, string? further = null)
        {
            Recipe recipe = tiny.Recipe("fusion", name, "steps: 12\nlearning_rate: 0.03");
            if (further is not null)
                recipe.Data.ValidationTargets[further] = recipe.Data.ValidationTargets["de"];
            return tiny.Train(recipe)[^1]["evaluation"]!.AsObject();
        }
    }

    [Fact]
    public void AFigureThatIsNoNumberIsLeftOutOfTheLog()
    {
        Recipe recipe = tiny.Recipe("translator", "unnumbered", "steps: 1");
        new Trainer(recipe, new Unnumbered(), recipe.Output + ".work").Run(resume: false);
        JsonObject[] log = TinyTraining.Log(recipe);
        Assert.Equal((1, 2), (log[0]["steps_of_it"]!.GetValue<int>(), log[1]["evaluation"]!["good"]!.GetValue<int>()));
        Assert.DoesNotContain(log.Concat(log.Select(line => line["evaluation"]).OfType<JsonObject>()), line => line.ContainsKey("odd"));
    }

    private sealed class Unnumbered : TrainingTask
    {
        private readonly Tensor _weights = Tensor.Zeros(new Shape(1, 2)).RequireGrad();

        public override IReadOnlyDictionary<string, Tensor> Parameters => new Dictionary<string, Tensor> { ["weights"] = _weights };

        public override Tensor Loss(Compute c, int step, IDictionary<string, double> report)
        {
            report.Tally("odd", double.NaN);
            report.Tally("#steps_of_it", 1);
            return c.CrossEntropy(_weights, new[] { 0 });
        }

        public override IReadOnlyDictionary<string, double> Evaluate(Compute c, int step, CancellationToken cancellation) =>
            new Dictionary<string, double> { ["odd"] = double.PositiveInfinity, ["good"] = 2 };

        public override void Save(string folder)
        {
        }
    }

    [Fact]
    public void SlidesShowHowNamesAreSpelt()
    {
        tiny.MakeParts();
        string[] terms = [.. File.ReadLines(tiny["en.txt"]).Select(line => line.Trim()[^1..])];
        File.WriteAllLines(tiny["terms.txt"], terms);
        PicturePackHeader header = new(112, 112, 1, "");
        string[] slides = [.. terms.Distinct()];
        File.WriteAllBytes(tiny["slides.pack"], [.. PicturePack.EncodeHeader(header),
            .. slides.SelectMany(text => PicturePack.EncodeRecord(header, new byte[header.PixelBytes], text))]);
        Recipe recipe = tiny.Recipe("recognizer", "slides", $"start: {tiny["omni"]}\nsteps: 8", pictures: true);
        recipe.Data.Pictures!.Share = 0;
        recipe.Data.Ambiguity = null;
        recipe.Data.Further.Add(
            new() { Source = tiny["en.txt"], Speech = tiny["en.pack"], Terms = tiny["terms.txt"], Slides = tiny["slides.pack"], Repeat = 3 });
        JsonObject[] log = tiny.Train(recipe);
        double seen = Count("speech_image"), alone = Count("speech");
        // Three of four utterances have slides, and one of five of these is heard without.
        Assert.InRange(seen / (seen + alone), 0.4, 0.8);

        File.WriteAllBytes(tiny["slides.pack"], PicturePack.EncodeHeader(header));
        Assert.Contains("No slide shows", Assert.Throws<OmniFusionException>(() => tiny.Train(recipe)).Message);

        double Count(string kind) => log[..8].Sum(line => line[kind]?.GetValue<int>() ?? 0);
    }

    [Fact]
    public void WhichSlideIsSeenDoesNotHangOnWhoWritesTheTranscript()
    {
        tiny.MakeParts();
        File.WriteAllLines(tiny["one-term.txt"], File.ReadLines(tiny["en.txt"]).Select(_ => "Ann"));
        PicturePackHeader header = new(112, 112, 1, "");
        File.WriteAllBytes(tiny["five.pack"], [.. PicturePack.EncodeHeader(header), .. Enumerable.Range(0, 5).SelectMany(
            slide => PicturePack.EncodeRecord(header, [.. Enumerable.Repeat((byte)(50 * slide), header.PixelBytes)], "Ann"))]);
        Recipe recipe = tiny.Recipe("recognizer", "five-slides", $"start: {tiny["omni"]}", pictures: true);
        recipe.Data.Pictures!.Share = 0;
        recipe.Data.Ambiguity = null;
        recipe.Data.Transcribed = 0.2;
        recipe.Data.Further.Add(
            new() { Source = tiny["en.txt"], Speech = tiny["en.pack"], Terms = tiny["one-term.txt"], Slides = tiny["five.pack"], Repeat = 10 });
        Mixture mixture = new TrainingData(recipe).ForRecognizer(maxSeconds: 30, picturesOnly: false);
        Example[] transcribed = [.. Enumerable.Range(1, 50).SelectMany(mixture.At).Where(example => example is { Transcribed: true, Picture: not null })];
        Assert.Equal(5, transcribed.Select(example => example.Picture!.Values[0]).Distinct().Count());
    }

    [Fact]
    public void LowRankUpdatesLeaveTheTranslatorAsItIs()
    {
        tiny.MakeParts();
        byte[] before = File.ReadAllBytes(tiny["translator/model.safetensors"]);
        Recipe recipe = tiny.Recipe("fusion", "low-rank", "steps: 6\nlora_rank: 4");
        JsonObject[] log = tiny.Train(recipe);
        AssertFalls([.. log.Where(line => line.ContainsKey("fused_loss"))], "fused_loss");
        Assert.Equal(before, File.ReadAllBytes(tiny["translator/model.safetensors"]));
        Assert.Equal(before, File.ReadAllBytes(recipe.Output + "/translator/model.safetensors"));

        PeftAdapter adapter = PeftAdapter.Load(recipe.Output + "/fusion");
        Assert.Equal(2 * 2 * 7, adapter.Tensors.Keys.Count(name => name.Contains(".lora_", StringComparison.Ordinal)));
        // The second halves start as zeros.
        Assert.All(adapter.Tensors.Where(item => item.Key.Contains("lora_B", StringComparison.Ordinal)),
            item => Assert.Contains(item.Value.ToF32().Span.ToArray(), value => value != 0));
        Assert.Empty(OmniFusionModel.Load(recipe.Output).UnplacedKeys);
    }

    [Fact]
    public async Task AModelThatHearsLearnsToSeeAndItsFusionTranslatesWithPictures()
    {
        tiny.MakeParts();
        Recipe recognizer = tiny.Recipe("recognizer", "seeing", $"start: {tiny["omni"]}\nsteps: 12\nthreads: 2", pictures: true);
        JsonObject[] log = tiny.Train(recognizer);
        AssertFalls(log[..12], "decoder");
        foreach (string kind in new[] { "speech", "speech_image", "text_image", "image" })
            Assert.True(log[..12].Sum(line => line[kind]?.GetValue<int>() ?? 0) > 0, kind);

        string seeing = tiny["seeing"];
        JsonObject[] fusion = tiny.Train(tiny.Recipe("fusion", "seeing-fusion", $"mmfm: {seeing}\nsteps: 12", pictures: true));
        AssertFalls([.. fusion.Where(line => line.ContainsKey("fused_loss"))], "fused_loss");
        foreach (string kind in new[] { "speech", "speech_image", "text_image", "image" })
            Assert.True(fusion[..12].Sum(line => line[kind]?.GetValue<int>() ?? 0) > 0, kind);
        OmniFusionModel model = OmniFusionModel.Load(tiny["seeing-fusion"]);
        Assert.Empty(model.UnplacedKeys);
        Assert.Equal(112, model.Bundle.ImageWidth);
        RgbImage picture = new(112, 112, new byte[112 * 112 * 3]);
        TranslationOptions few = new() { MaxNewTokens = 3 };
        foreach (TranslationRequest request in (TranslationRequest[])
            [
                new() { Samples = new float[8000], Picture = picture, TargetLanguage = "de" },
                new() { Text = "the bat sits", Picture = picture, TargetLanguage = "de" },
            ])
            Assert.Equal("de", (await model.TranslateAsync(request, few)).Language);
    }

    [Fact]
    public void EyesAloneLearnToNameAndLeaveTheRestAsItWas()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("recognizer", "eyes",
            $"start: {tiny["omni"]}\nsteps: 12\nlabel_smoothing: 0\nrate_factors: {{ \"thinker.model.\": 0 }}\n"
            + "phases: [ { decoder: 0, pictures_only: true, naming: 1, seeing: 0.25 } ]", pictures: true);
        JsonObject[] log = tiny.Train(recipe);
        AssertFalls(log[..12], "naming");
        AssertFalls(log[..12], "seen_loss");
        Assert.All(log[..12], line => Assert.Equal(
            line["loss"]!.GetValue<double>(), line["naming"]!.GetValue<double>() + 0.25 * Part(line, "seen"), 1e-3));
        Assert.All(log[..12], line => Assert.False(line.ContainsKey("ctc") || line.ContainsKey("decoder")));
        SafeTensorsFile before = SafeTensorsFile.Open(tiny["omni/model.safetensors"]), after = SafeTensorsFile.Open(tiny["eyes/model.safetensors"]);
        Assert.All(before.Entries, entry => Assert.Equal(before.Tensor(entry.Name).ToF32().Span.ToArray(), after.Tensor(entry.Name).ToF32().Span.ToArray()));
        Assert.Contains(after.Entries, entry => entry.Name.StartsWith("thinker.visual.", StringComparison.Ordinal));
        Assert.DoesNotContain(after.Entries, entry => entry.Name.Contains("naming", StringComparison.Ordinal));
    }

    [Fact]
    public void ATrainingWithPicturesResumesExactly()
    {
        Recipe unbroken = tiny.Recipe("recognizer", "pictures", "", pictures: true), broken = tiny.Recipe("recognizer", "pictures-stopped", "", pictures: true);
        string[] expected = TinyTraining.Figures(tiny.Train(unbroken));
        tiny.Train(broken, until: 5);
        Assert.Equal(expected, TinyTraining.Figures(tiny.Train(broken, resume: true)));
        AssertSameWeights(unbroken, broken);
    }

    [Theory]
    [InlineData("recognizer", Phases)]
    [InlineData("translator", "")]
    [InlineData("fusion", "")]
    [InlineData("fusion", "lora_rank: 4")]
    public void ARunThatIsStoppedAndResumedEqualsAnUnbrokenOne(string stage, string changes)
    {
        if (stage == "fusion")
            tiny.MakeParts();
        string name = stage + changes.Length;
        Recipe unbroken = tiny.Recipe(stage, name, changes), broken = tiny.Recipe(stage, name + "-stopped", changes);
        JsonObject[] expected = tiny.Train(unbroken);
        Assert.Equal([1, 2, 3, 4], StepsOf(tiny.Train(broken, until: 4)));
        Assert.Equal([1, 2, 3, 4, 5], StepsOf(tiny.Train(broken, resume: true, until: 5)));
        JsonObject[] log = tiny.Train(broken, resume: true);
        Assert.Equal(TinyTraining.Figures(expected), TinyTraining.Figures(log));
        AssertSameWeights(unbroken, broken);
        foreach (string file in Directory.EnumerateFiles(unbroken.Output, "*.safetensors", SearchOption.AllDirectories))
        {
            string other = file.Replace(unbroken.Output, broken.Output, StringComparison.Ordinal);
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(other));
        }
    }

    [Fact]
    public void ACheckpointOlderThanTheLogDropsTheLaterLines()
    {
        Recipe recipe = tiny.Recipe("translator", "crashed"), unbroken = tiny.Recipe("translator", "calm");
        string state = recipe.Output + ".work/training.safetensors", log = recipe.Output + ".work/log.jsonl";
        tiny.Train(recipe, until: 3);
        byte[] old = File.ReadAllBytes(state);
        tiny.Train(recipe, resume: true, until: 6);
        // As if the machine had stopped while it wrote a line, three steps after the last checkpoint.
        File.WriteAllBytes(state, old);
        File.AppendAllText(log, "{\"step\":7,\"ra");
        Assert.Equal(TinyTraining.Figures(tiny.Train(unbroken)), TinyTraining.Figures(tiny.Train(recipe, resume: true)));
        AssertSameWeights(unbroken, recipe);
    }

    [Fact]
    public void StoppingWithinAnEvaluationKeepsTheStepsDone()
    {
        // The progress of the step is told before its evaluation begins.
        Recipe recipe = tiny.Recipe("translator", "evaluating", "evaluate_every: 4");
        JsonObject[] log = tiny.Train(recipe, until: 4);
        Assert.Equal([1, 2, 3, 4], StepsOf(log));
        Assert.Equal("4", SafeTensorsFile.Open(recipe.Output + ".work/training.safetensors").Metadata["steps"]);
        // What was broken off is made up for.
        Assert.Equal([4, 5, 6, 7, 8, 8], StepsOf(tiny.Train(recipe, resume: true))[4..]);
    }

    [Fact]
    public void TheLastEvaluationIsMadeUpForAsWell()
    {
        string changes = "steps: 4\n" + Phases;
        Recipe recipe = tiny.Recipe("recognizer", "unjudged", changes), unbroken = tiny.Recipe("recognizer", "judged", changes);
        tiny.Train(recipe, until: 4);
        Assert.True(File.Exists(recipe.Output + ".work/log.svg"));
        string[] expected = TinyTraining.Figures(tiny.Train(unbroken));
        Assert.Equal(expected, TinyTraining.Figures(tiny.Train(recipe, resume: true)));
        Assert.Equal(expected, TinyTraining.Figures(tiny.Train(recipe, resume: true)));
    }

    [Fact]
    public void WithoutResumeATrainingStartsAnew()
    {
        Recipe recipe = tiny.Recipe("translator", "again", "steps: 2");
        string[] first = TinyTraining.Figures(tiny.Train(recipe));
        Assert.Equal(first, TinyTraining.Figures(tiny.Train(recipe)));
    }

    [Theory]
    [InlineData("recognizer")]
    [InlineData("translator")]
    public void AVocabularyIsLearntAnewUnlessTheRunGoesOn(string stage)
    {
        Recipe recipe = tiny.Recipe(stage, "vocabulary-" + stage, "steps: 1");
        tiny.Train(recipe);
        string path = recipe.Output + "/tokenizer.json", before = File.ReadAllText(path);
        recipe.Model.VocabularyText = [tiny["en.txt"], tiny["en.txt"], tiny["en.txt"], tiny["de.txt"]];
        recipe.Steps = 2;
        tiny.Train(recipe, resume: true);
        Assert.Equal(before, File.ReadAllText(path));
        tiny.Train(recipe);
        Assert.NotEqual(before, File.ReadAllText(path));
    }

    [Fact]
    public void ALossThatIsNoNumberNamesACheckpointOnlyWhereThereIsOne()
    {
        Recipe recipe = tiny.Recipe("translator", "diverged", "steps: 9");
        recipe.Model.InitStd = float.NaN;
        string state = recipe.Output + ".work/training.safetensors";
        Directory.CreateDirectory(recipe.Output + ".work");
        // That of an earlier run does not count.
        File.WriteAllText(state, "old");
        Assert.Contains("no checkpoint yet", Assert.Throws<OmniFusionException>(() => tiny.Train(recipe)).Message);
        Assert.False(File.Exists(state));
    }

    [Theory]
    [InlineData("vocabulary: 330", "vocabulary: 331")]
    [InlineData("hidden_size: 16", "hidden_size: 32")]
    [InlineData("layers: 2", "layers: 1")]
    [InlineData("layers: 2", "layers: 3")]
    public void ACheckpointOfAnotherRecipeIsRefused(string line, string other)
    {
        string name = "other" + other.GetHashCode(StringComparison.Ordinal);
        tiny.Train(tiny.Recipe("translator", name, "steps: 1"));
        byte[] state = File.ReadAllBytes(tiny[name + ".work/training.safetensors"]);
        string changed = File.ReadAllText(tiny[name + ".yaml"]).Replace("  " + line + "\n", "  " + other + "\n", StringComparison.Ordinal);
        File.WriteAllText(tiny[name + ".yaml"], changed);
        Recipe recipe = Recipe.Load(tiny[name + ".yaml"], new Dictionary<string, string> { ["out"] = tiny[""] });
        string message = Assert.Throws<OmniFusionException>(() => tiny.Train(recipe, resume: true)).Message;
        Assert.Contains("another recipe", message);
        Assert.Contains(tiny[name], message);
        Assert.Equal(state, File.ReadAllBytes(tiny[name + ".work/training.safetensors"]));
    }

    [Theory]
    [InlineData("translator", "seed: 4", "'seed' was 3 and now is 4")]
    [InlineData("translator", "batch_tokens: 121", "'batch_tokens' was 120 and now is 121")]
    [InlineData("recognizer", "batch_seconds: 5.5", "'batch_seconds' was 5 and now is 5.5")]
    [InlineData("translator", "", "'data' was 32 pairs and now is 3 pairs")]
    [InlineData("recognizer", "", "'data' was 32 x 1 spoken and now is 3 x 1 spoken")]
    public void WhatMakesARunWhatItIsDoesNotChangeOnTheWay(string stage, string line, string named)
    {
        string name = $"{stage}-then-{line.Length}";
        Recipe first = tiny.Recipe(stage, name, "steps: 1");
        tiny.Train(first);
        Recipe changed = tiny.Recipe(stage, name, "steps: 2\n" + line);
        if (line.Length == 0)
        {
            string[] lines = ["one", "two", "three"];
            File.WriteAllLines(tiny["few.txt"], lines);
            tiny.MakePack(stage + ".pack", lines);
            (changed.Data.Source, changed.Data.Speech) = (tiny["few.txt"], tiny[stage + ".pack"]);
            changed.Data.Targets["de"] = tiny["few.txt"];
        }
        Assert.Contains(named, Assert.Throws<OmniFusionException>(() => tiny.Train(changed, resume: true)).Message);
        // A run may be made longer, and a checkpoint that does not tell what it is of is believed.
        Assert.Equal(2, StepsOf(tiny.Train(tiny.Recipe(stage, name, "steps: 2\nlog_every: 2"), resume: true))[^1]);
        string state = first.Output + ".work/training.safetensors";
        SafeTensorsFile file = SafeTensorsFile.Open(state);
        (string, Tensor)[] tensors = [.. file.Entries.Select(entry => (entry.Name, file.Tensor(entry.Name)))];
        Dictionary<string, string> old = file.Metadata.Where(item => item.Key is "steps" or "step_counts").ToDictionary(item => item.Key, item => item.Value);
        SafeTensorsWriter.Write(state, tensors, old);
        changed.Steps = 3;
        Assert.Equal(3, StepsOf(tiny.Train(changed, resume: true))[^1]);
    }

    [Fact]
    public void AFileThatIsNoCheckpointIsRefused()
    {
        Recipe recipe = tiny.Recipe("translator", "no-checkpoint", "steps: 1");
        tiny.Train(recipe);
        string state = recipe.Output + ".work/training.safetensors";
        SafeTensorsFile file = SafeTensorsFile.Open(state);
        (string, Tensor)[] tensors = [.. file.Entries.Select(entry => (entry.Name, file.Tensor(entry.Name)))];
        foreach (Dictionary<string, string> metadata in (Dictionary<string, string>[])
            [[], new() { ["steps"] = "many", ["step_counts"] = "{}" }, new() { ["steps"] = "1", ["step_counts"] = "]" }])
        {
            SafeTensorsWriter.Write(state, tensors, metadata);
            Assert.Contains("training.safetensors", Assert.Throws<OmniFusionException>(() => tiny.Train(recipe, resume: true)).Message);
        }
        File.WriteAllText(state, "nothing");
        Assert.Contains("training.safetensors", Assert.Throws<OmniFusionException>(() => tiny.Train(recipe, resume: true)).Message);
    }

    // A thinker with eyes, hardly trained, beside the other parts of a fusion.
    private Recipe Seeing(string name)
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("recognizer", name, $"start: {tiny["omni"]}\nsteps: 2", pictures: true);
        tiny.Train(recipe);
        return recipe;
    }

    // As the monitor reads them: the mean gates of a token sum to 1.
    private static void AssertHasGates(JsonObject[] log) => Assert.All(log, line =>
    {
        using JsonDocument json = JsonDocument.Parse(line.ToJsonString());
        Assert.Equal(1, TrainingFigures.Of(json.RootElement)!.Gates.Sum(), 1e-3);
    });

    // A loss that not every step has.
    private static double Part(JsonObject line, string name) => line[name + "_loss"]?.GetValue<double>() ?? 0;

    // Batches differ, so the mean of the last steps is compared with the first.
    private static void AssertFalls(JsonObject[] lines, string name)
    {
        double[] losses = [.. lines.Select(line => line[name]!.GetValue<double>())];
        Assert.All(losses, loss => Assert.InRange(loss, 1e-3, 1e3));
        Assert.True(losses[^2..].Average() < losses[0], $"{name}: {string.Join(" ", losses)}");
    }

    private static int[] StepsOf(IEnumerable<JsonObject> log) => [.. log.Select(line => line["step"]!.GetValue<int>())];

    private static void AssertSameWeights(Recipe first, Recipe second) => Assert.Equal(
        File.ReadAllBytes(first.Output + ".work/training.safetensors"), File.ReadAllBytes(second.Output + ".work/training.safetensors"));
}
