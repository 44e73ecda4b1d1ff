using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>What talks are made of.</summary>
/// <param name="Source">The lines that the pack speaks.</param>
/// <param name="Translations">For each language code as many lines.</param>
public sealed record TalkPlan(IReadOnlyList<string> Source, IReadOnlyDictionary<string, IReadOnlyList<string>> Translations)
{
    /// <summary>Number of talks.</summary>
    public int Talks { get; init; } = 20;

    /// <summary>Sentences of the shortest talk.</summary>
    public int LeastSentences { get; init; } = 8;

    /// <summary>Sentences of the longest talk.</summary>
    public int MostSentences { get; init; } = 12;

    /// <summary>The shortest pause between sentences, in seconds.</summary>
    public double LeastPause { get; init; } = 0.1;

    /// <summary>The longest pause between sentences, in seconds.</summary>
    public double MostPause { get; init; } = 1.5;

    /// <summary>
    /// Whether each sentence loses the silence before and behind it, so that nothing but the pause is between two: with pauses of 0, a talk in one breath.
    /// </summary>
    public bool Trim { get; init; }

    /// <summary>Draws sentences and pauses.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>
/// Makes talks from the sentences of a speech pack: each of one voice as long as a voice has sentences enough, no sentence twice, pauses
/// between them. The folder gets <c>talk-NNN.wav</c> and, when all are there, the manifest <c>talks.jsonl</c> (<see cref="TalkManifest"/>).
/// The same plan and pack give the same files; a folder in which the making was stopped is gone on with.
/// </summary>
public static class TalkBuilder
{
    /// <summary>The name of the manifest in the folder.</summary>
    public const string ManifestName = "talks.jsonl";

    private const string PlanName = "talks.plan.json";

    /// <summary>Makes talks.</summary>
    /// <param name="pack">Speaks the plan's source lines.</param>
    /// <param name="folder">Where the talks go; made if needed.</param>
    /// <param name="plan">What they are made of.</param>
    /// <param name="done">Told the number of talks as each is there.</param>
    /// <param name="cancellation">Checked between talks.</param>
    /// <returns>The talks, as the manifest has them.</returns>
    /// <exception cref="OmniFusionException">
    /// A setting is out of range, the texts and the pack do not belong together, the pack has too few sentences, the folder holds talks of
    /// another plan, or a file cannot be written.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public static IReadOnlyList<Talk> Build(
        SpeechPack pack, string folder, TalkPlan plan, Action<int>? done = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pack);
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(plan);
        Check(pack, plan);
        IReadOnlyList<DrawnTalk> drawn = Draw(pack, plan);
        AtomicFile.MakeFolder(folder);
        Claim(folder, Fingerprint(pack, plan));
        List<Talk> talks = [];
        foreach (DrawnTalk talk in drawn)
        {
            cancellation.ThrowIfCancellationRequested();
            string name = string.Create(CultureInfo.InvariantCulture, $"talk-{talks.Count + 1:000}.wav");
            string path = Path.Combine(folder, name);
            // A WAV appears under its name only when it is whole.
            if (!File.Exists(path))
                WavWriter.WritePcm16(path, Sound(pack, talk), SpeechPack.SampleRate);
            talks.Add(new Talk(name, [.. talk.Sentences.Select(sentence => Sentence(pack, plan, sentence))]));
            done?.Invoke(talks.Count);
        }
        TalkManifest.Write(Path.Combine(folder, ManifestName), talks);
        return talks;
    }

    private static void Check(SpeechPack pack, TalkPlan plan)
    {
        if (plan.Talks is < 1 or > 100_000 || plan.LeastSentences < 1 || plan.MostSentences < plan.LeastSentences)
            throw new OmniFusionException(
                $"There cannot be {plan.Talks} talks of {plan.LeastSentences} to {plan.MostSentences} sentences.");
        if (!(plan.LeastPause >= 0 && plan.MostPause >= plan.LeastPause && plan.MostPause <= 60))
            throw new OmniFusionException($"Pauses of {plan.LeastPause} to {plan.MostPause} seconds are impossible: 0 to 60 are.");
        if (!pack.IsMadeFrom(plan.Source))
            throw new OmniFusionException("The pack does not speak the source lines.");
        if (plan.Translations.Count == 0)
            throw new OmniFusionException("Talks need translations into one language at least.");
        foreach ((string language, IReadOnlyList<string> lines) in plan.Translations)
            if (lines.Count != plan.Source.Count)
                throw new OmniFusionException(
                    $"There are {plan.Source.Count} source lines and {lines.Count} translations into {language}.");
    }

    // Items by voice; a talk takes the voice that has most sentences left, and whatever is left where no voice has enough.
    private static List<DrawnTalk> Draw(SpeechPack pack, TalkPlan plan)
    {
        SplitMix64 random = new(plan.Seed);
        List<int> items = [.. Enumerable.Range(0, pack.Count).Where(i => pack.Items[i].Copy == 0 && pack.Items[i].SampleCount > 0
            && plan.Translations.Values.All(lines => !string.IsNullOrWhiteSpace(lines[pack.Items[i].TextIndex])))];
        for (int i = items.Count - 1; i > 0; i--)
        {
            int other = random.Below(i + 1);
            (items[i], items[other]) = (items[other], items[i]);
        }
        List<List<int>> byVoice = [.. items.GroupBy(i => pack.Items[i].Voice).Select(group => group.ToList())];
        List<DrawnTalk> talks = [];
        for (int t = 0; t < plan.Talks; t++)
        {
            int count = plan.LeastSentences + random.Below(plan.MostSentences - plan.LeastSentences + 1);
            List<int> chosen = [];
            for (int left = byVoice.Sum(voice => voice.Count); chosen.Count < count; left = byVoice.Sum(voice => voice.Count))
            {
                if (left == 0)
                    throw new OmniFusionException($"The pack has {items.Count} sentences, too few for {plan.Talks} talks of "
                        + $"{plan.LeastSentences} to {plan.MostSentences}.");
                List<int> voice = byVoice.MaxBy(v => v.Count)!;
                int taken = Math.Min(count - chosen.Count, voice.Count);
                chosen.AddRange(voice[^taken..]);
                voice.RemoveRange(voice.Count - taken, taken);
            }
            talks.Add(Place(pack, plan, random, chosen));
        }
        return talks;
    }

    private static DrawnTalk Place(SpeechPack pack, TalkPlan plan, SplitMix64 random, List<int> items)
    {
        List<DrawnSentence> sentences = [];
        long at = 0;
        foreach (int item in items)
        {
            if (sentences.Count > 0)
                at += (long)Math.Round((plan.LeastPause + (plan.MostPause - plan.LeastPause) * random.Unit()) * SpeechPack.SampleRate);
            Range sound = plan.Trim ? RecordedSpeech.Sounding(RecordedSpeech.Round(pack.ReadSamples(item))) : Range.All;
            (int from, int length) = sound.GetOffsetAndLength(pack.Items[item].SampleCount);
            sentences.Add(new DrawnSentence(item, at, from, length));
            at += length;
        }
        return at <= int.MaxValue ? new DrawnTalk(sentences, (int)at)
            : throw new OmniFusionException("A talk would be longer than 37 hours.");
    }

    private static float[] Sound(SpeechPack pack, DrawnTalk talk)
    {
        float[] samples = new float[talk.Samples];
        foreach (DrawnSentence sentence in talk.Sentences)
            pack.ReadSamples(sentence.Item).AsSpan(sentence.From, sentence.Length).CopyTo(samples.AsSpan((int)sentence.FirstSample));
        return samples;
    }

    private static TalkSentence Sentence(SpeechPack pack, TalkPlan plan, DrawnSentence sentence)
    {
        SpeechPackItem item = pack.Items[sentence.Item];
        double start = (double)sentence.FirstSample / SpeechPack.SampleRate;
        return new TalkSentence(plan.Source[item.TextIndex].Trim(),
            plan.Translations.ToDictionary(pair => pair.Key, pair => pair.Value[item.TextIndex].Trim()),
            start, start + (double)sentence.Length / SpeechPack.SampleRate);
    }

    private static string Fingerprint(SpeechPack pack, TalkPlan plan)
    {
        StringBuilder all = new();
        all.Append(CultureInfo.InvariantCulture, $"{plan.Talks} {plan.LeastSentences} {plan.MostSentences} ");
        all.Append(CultureInfo.InvariantCulture, $"{plan.LeastPause} {plan.MostPause} ");
        all.Append(plan.Trim ? "trimmed " : "");
        all.Append(CultureInfo.InvariantCulture, $"{plan.Seed} {pack.Seed} {pack.Count} ");
        all.Append(CultureInfo.InvariantCulture, $"{pack.Items.Sum(item => (long)item.SampleCount)}\n");
        all.AppendJoin('\n', plan.Source);
        foreach ((string language, IReadOnlyList<string> lines) in plan.Translations.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            all.Append('\n').Append(language).Append('\n').AppendJoin('\n', lines);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
    }

    private static void Claim(string folder, string fingerprint)
    {
        string path = Path.Combine(folder, PlanName), plan = JsonSerializer.Serialize(new { sha256 = fingerprint });
        try
        {
            if (!File.Exists(path))
                AtomicFile.WriteText(path, plan);
            else if (File.ReadAllText(path) != plan)
                throw new OmniFusionException($"{folder} holds talks of another plan; name another folder.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{path} cannot be read: {e.Message}", e);
        }
    }

    // Of an item's samples those from From on, Length of them.
    private readonly record struct DrawnSentence(int Item, long FirstSample, int From, int Length);

    private sealed record DrawnTalk(IReadOnlyList<DrawnSentence> Sentences, int Samples);
}
