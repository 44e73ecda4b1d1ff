using System.IO.Compression;
using OmniFusion.Training;
using OmniFusion.Training.Data;

namespace OmniFusion.Benchmarks;

/// <summary>
/// A folder with random sentences of about 15 tokens and 3.5 s of noise for each, and the shipped recipes over it: the sizes of the nano
/// model on data of realistic lengths, with random weights.
/// </summary>
internal sealed class NanoTraining : IDisposable
{
    private const int Lines = 4000, SpokenLines = 48, Words = 12, Vocabulary = 6000;

    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-bench-").FullName;
    private readonly string _recipes = RecipeFolder();

    public NanoTraining()
    {
        string[] english = Sentences(1), other = Sentences(2);
        foreach (string part in (string[])["train", "val"])
            foreach (string language in (string[])["en", "de", "fr", "cs"])
                Write($"{part}.{language}.gz", language is "en" or "fr" ? english : other);
        foreach (string name in (string[])["train.pack", "val.pack"])
        {
            SpeechPackPlan plan = new([.. english.Take(SpokenLines)], Voice.Training) { Workers = 1 };
            SpeechPackBuilder.Build(Path.Combine(_folder, name), plan, false, null, () => new NoiseSpeaker(), default);
        }
    }

    /// <summary>A stage's recipe as it is shipped; the fusion's parts are made when they are not there.</summary>
    public TrainingTask Open(string stage, out Recipe recipe)
    {
        foreach (string part in stage == "fusion" ? (string[])["recognizer", "translator"] : [])
        {
            Recipe of = Load(part);
            if (!File.Exists(Path.Combine(of.Output, "model.safetensors")))
                TrainingStages.Open(of).Save(of.Output);
        }
        recipe = Load(stage);
        if (stage == "fusion")
            recipe.Mmfm = Load("recognizer").Output;
        return TrainingStages.Open(recipe);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Without pictures, whose drawings would have to be fetched, and without the digits.
    private Recipe Load(string stage)
    {
        Recipe recipe = Recipe.Load(Path.Combine(_recipes, $"nano-{stage}.yaml"),
            new Dictionary<string, string> { ["data"] = _folder, ["speech"] = _folder, ["out"] = _folder });
        (recipe.Data.Pictures, recipe.Data.Ambiguity, recipe.Data.Further) = (null, null, []);
        return recipe;
    }

    private void Write(string name, string[] lines)
    {
        using GZipStream gzip = new(File.Create(Path.Combine(_folder, name)), CompressionLevel.Fastest);
        using StreamWriter writer = new(gzip);
        foreach (string line in lines)
            writer.WriteLine(line);
    }

    // Words of random syllables; common ones are much more common than rare ones, as in a language.
    private static string[] Sentences(int seed)
    {
        Random random = new(seed);
        string[] words = [.. Enumerable.Range(0, Vocabulary).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
            $"{"bdfgklmnprstvz"[random.Next(14)]}{"aeiou"[random.Next(5)]}{"nrslt"[random.Next(5)]}")))];
        return [.. Enumerable.Range(0, Lines).Select(_ => string.Join(' ',
            Enumerable.Range(0, Words).Select(_ => words[(int)(Math.Pow(random.NextDouble(), 3) * Vocabulary)])))];
    }

    private static string RecipeFolder()
    {
        for (string? folder = Environment.CurrentDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (Directory.Exists(Path.Combine(folder, "recipes")))
                return Path.Combine(folder, "recipes");
        throw new OmniFusionException("Start this benchmark in the repository, where the recipes are.");
    }

    private sealed class NoiseSpeaker : IUtteranceSpeaker
    {
        public short[] Speak(Utterance utterance, string text)
        {
            Random random = new(utterance.TextIndex);
            return [.. Enumerable.Range(0, (int)(3.5 * SpeechPack.SampleRate)).Select(_ => (short)random.Next(-8000, 8000))];
        }

        public void Dispose()
        {
        }
    }
}
