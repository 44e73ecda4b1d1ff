using System.Diagnostics;
using OmniFusion.Checkpoints;
using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Models.Mistral;
using OmniFusion.Tensors;
using OmniFusion.Training;

namespace OmniFusion.Benchmarks;

/// <summary>
/// Speed of the nano translator as it writes one text with five beams behind a prefix of 100 rows, as 3.5 s of speech make, and what a step
/// allocates on the managed heap. With <c>processor</c> the time that this process was given counts, divided by the threads.
/// </summary>
internal static class DecodeBench
{
    private const int Prefix = 100, Tokens = 64, Beams = 5, Repeats = 9, WarmUp = 12;

    internal static void Run(string[] args)
    {
        bool processor = args.Contains("processor");
        Console.WriteLine(Machine.Describe());
        using NanoTraining nano = new();
        TrainingTask task = nano.Open("translator", out Recipe recipe);
        task.Save(recipe.Output);
        MistralConfig config = MistralConfig.Load(Path.Combine(recipe.Output, "config.json"));
        MistralModel model = new(config, new Weights(Checkpoint.Open(recipe.Output)));
        foreach (int threads in (int[])[1, 2])
        {
            Compute c = new(new CpuKernels(threads));
            List<double> searches = [];
            for (int i = -WarmUp; i < Repeats; i++)
            {
                DecoderStart start = Start(c, model);
                double before = Seconds();
                // Nothing ends a text: every search writes as many tokens.
                start.Search(c, new GenerationOptions { NumBeams = Beams, MaxNewTokens = Tokens, EndOfText = [] });
                if (i >= 0)
                    searches.Add(Seconds() - before);
            }
            searches.Sort();
            double seconds = searches[Repeats / 2];
            (long middle, long mean) = BytesPerStep(c, model);
            Console.WriteLine(
                $"{threads} thread(s): {Tokens / seconds:F0} tokens/s, {seconds / Tokens * 1e3:F2} ms a step of {Beams} beams, "
                + $"{middle} bytes allocated by the decoder in the middle step, {mean} in the mean one");

            double Seconds() => processor
                ? Environment.CpuUsage.TotalTime.TotalSeconds / threads
                : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        }
    }

    // Of the middle one of the later half of the steps; and of their mean, with what the cache still grows by.
    private static (long Middle, long Mean) BytesPerStep(Compute c, MistralModel model)
    {
        DecoderSession session = Start(c, model).Session;
        int[] tokens = [.. Enumerable.Range(10, Beams)], items = new int[Beams], parents = [.. Enumerable.Repeat(-1, Beams)];
        long[] allocated = new long[Tokens];
        for (int step = 0; step < Tokens; step++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            session.Step(c, tokens, items, parents);
            allocated[step] = GC.GetAllocatedBytesForCurrentThread() - before;
            for (int beam = 0; beam < Beams; beam++)
                parents[beam] = beam;
        }
        long[] later = [.. allocated[(Tokens / 2)..].Order()];
        return (later[later.Length / 2], (long)later.Average());
    }

    private static DecoderStart Start(Compute c, MistralModel model)
    {
        c.Arena.Reset();
        int[] prompt = [.. Enumerable.Range(0, Prefix).Select(i => 300 + i)];
        return DecoderStart.Of(c, model, model.EmbedTokens(c, prompt), new Segments([Prefix]), [prompt]);
    }
}
