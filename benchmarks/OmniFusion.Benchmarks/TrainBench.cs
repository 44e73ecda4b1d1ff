using System.Diagnostics;
using OmniFusion.Tensors;
using OmniFusion.Training;

namespace OmniFusion.Benchmarks;

/// <summary>
/// Speed of a training step, forward, backward and AdamW, as a share of the multiply-add peak, for the three stages of the nano model as
/// the shipped recipes have them. The peak is measured before and after each and the larger one counts. With <c>processor</c> the time
/// that this process was given counts instead of the time that passed, for a machine that others are using.
/// </summary>
internal static class TrainBench
{
    private const int Steps = 4;

    internal static void Run(string[] args)
    {
        bool processor = args.Contains("processor");
        string[] stages = ["recognizer", "translator", "fusion"];
        Console.WriteLine(Machine.Describe());
        using NanoTraining nano = new();
        Console.WriteLine($"{"threads",-9}{"stage",-13}{"GFLOP",9}{"s/step",9}{"GFLOP/s",9}{"peak",7}{"share",8}   in a batch");
        foreach (int threads in (int[])[1, 2])
        {
            foreach (string stage in stages.Where(stage => !args.Intersect(stages).Any() || args.Contains(stage)))
            {
                TrainingTask task = nano.Open(stage, out Recipe recipe);
                Console.WriteLine($"{threads,-9}{stage,-13}{Measure(task, recipe, threads, processor)}");
            }
        }
    }

    private static string Measure(TrainingTask task, Recipe recipe, int threads, bool processor)
    {
        FlopCounter counter = new(new CpuKernels(threads));
        Compute c = new(counter);
        Optimizer optimizer = new(counter, task.Parameters);
        // Of the recogniser, the last phase: CTC and decoder together. Of the fusion, a step of speech.
        int first = recipe.Phases.Select(phase => phase.UntilStep).Where(until => until < recipe.Steps).DefaultIfEmpty().Max() + 1;
        Dictionary<string, double> report = [];
        Step(first);
        double before = Peak();
        List<(double Seconds, double Flops)> steps = [];
        for (int i = 1; steps.Count < Steps; i++)
        {
            if (recipe.Stage == "fusion" && recipe.TextEvery > 0 && (first + i) % recipe.TextEvery == 0)
                continue;
            report.Clear();
            counter.Flops = 0;
            double start = Seconds();
            Step(first + i);
            steps.Add((Seconds() - start, counter.Flops));
        }
        double peak = Math.Max(before, Peak());
        // The step of the middle rate.
        (double seconds, double flops) = steps.OrderBy(step => step.Flops / step.Seconds).ElementAt(Steps / 2);
        double rate = flops / seconds / 1e9;
        string batch = string.Join(", ", report.Where(item => item.Key[0] == '#' && item.Key.AsSpan().IndexOfAny('~', '_') < 0)
            .Select(item => $"{item.Value} {item.Key[1..]}"));
        return $"{flops / 1e9,9:F1}{seconds,9:F2}{rate,9:F1}{peak,7:F0}{rate / peak,8:P0}   {batch}";

        void Step(int step)
        {
            c.Arena.Reset();
            c.Tape = new Tape();
            c.DropoutRandom = new Random(step);
            c.Backward(task.Loss(c, step, report));
            c.Tape = null;
            optimizer.Step(new AdamWOptions(recipe.LearningRate), recipe.ClipNorm);
        }

        // On a machine that others are using, two threads may not run at once; one still shows what a core can do.
        double Peak() => processor ? threads * Machine.PeakGflops(1) : Machine.PeakGflops(threads);

        // Threads share the work evenly, so a step takes their number times less than their time together.
        double Seconds() => processor
            ? Environment.CpuUsage.TotalTime.TotalSeconds / threads
            : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
    }
}
